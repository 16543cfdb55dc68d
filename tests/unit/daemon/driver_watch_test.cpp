// The registry of drivers on disk: which sockets are in it, and that a change is told
// (kubelet-behaviours 15.1).

#include "daemon/driver_watch.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/un.h>
#include <unistd.h>

#include <cstring>
#include <filesystem>
#include <fstream>

namespace mooring {
namespace {

namespace fs = std::filesystem;
using testing::ElementsAre;
using testing::HasSubstr;
using testing::IsEmpty;

class DriverWatchTest : public testing::Test {
 protected:
  DriverWatchTest() {
    std::string name = "/tmp/mooring-drivers-XXXXXX";
    top_ = mkdtemp(name.data());
    registry = top_ / "plugins_registry";
  }
  ~DriverWatchTest() override { fs::remove_all(top_); }

  /// A socket at the path, as a registrar leaves it. By its short name: a path may be too long for bind(2).
  void make_socket(const fs::path& path) {
    const int made = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0);
    sockaddr_un address{};
    address.sun_family = AF_UNIX;
    ASSERT_LT(path.string().size(), sizeof address.sun_path);
    std::strcpy(address.sun_path, path.c_str());
    ASSERT_EQ(bind(made, reinterpret_cast<const sockaddr*>(&address), sizeof address), 0) << path;
    close(made);
  }
  static std::vector<std::string> names(const std::vector<RegistrySocket>& sockets, const fs::path& below) {
    std::vector<std::string> out;
    for (const RegistrySocket& socket : sockets)
      out.push_back(fs::path(socket.path).lexically_relative(below).string());
    return out;
  }
  std::vector<std::string> listed(DriverTree& tree) {
    DriverTree::Listing listing = tree.list();
    EXPECT_EQ(listing.problem, "");
    return names(listing.sockets, registry);
  }

  fs::path top_;
  fs::path registry;
};

TEST_F(DriverWatchTest, the_registry_is_made_if_it_is_missing) {
  DriverTree tree(registry);
  EXPECT_THAT(listed(tree), IsEmpty());
  ASSERT_TRUE(fs::is_directory(registry));
  EXPECT_EQ(fs::status(registry).permissions(), fs::perms(0750));
}

TEST_F(DriverWatchTest, kb_15_1_sockets_count_in_directories_too_and_nothing_else) {
  fs::create_directories(registry / "sub" / "deep");
  fs::create_directories(registry / ".hidden");
  make_socket(registry / "b-reg.sock");
  make_socket(registry / "a-reg.sock");
  make_socket(registry / "sub" / "deep" / "c-reg.sock");
  make_socket(registry / ".d-reg.sock");
  make_socket(registry / ".hidden" / "e-reg.sock");
  std::ofstream(registry / "file.sock") << "x";
  ASSERT_EQ(mkfifo((registry / "fifo.sock").c_str(), 0600), 0);
  fs::create_symlink(registry / "a-reg.sock", registry / "link.sock");
  fs::create_directory_symlink(registry / "sub", registry / "link");
  DriverTree tree(registry);
  EXPECT_THAT(listed(tree), ElementsAre("a-reg.sock", "b-reg.sock", "sub/deep/c-reg.sock"));
}

TEST_F(DriverWatchTest, kb_15_1_a_socket_that_is_made_anew_is_another_one_and_a_chmod_makes_none) {
  DriverTree tree(registry);
  listed(tree);
  make_socket(registry / "a.sock");
  const SocketIdentity first = tree.list().sockets.at(0).identity;
  fs::permissions(registry / "a.sock", fs::perms(0700));
  EXPECT_EQ(tree.list().sockets.at(0).identity, first);
  make_socket(registry / "b.sock");  // So that the inode's number is taken.
  fs::rename(registry / "b.sock", registry / "a.sock");
  EXPECT_NE(tree.list().sockets.at(0).identity, first);
}

TEST_F(DriverWatchTest, what_happens_below_is_told_also_in_directories_that_came_later) {
  DriverTree tree(registry);
  listed(tree);
  EXPECT_FALSE(tree.take_changes());
  fs::create_directory(registry / "sub");
  EXPECT_TRUE(tree.take_changes());
  listed(tree);
  make_socket(registry / "sub" / "a.sock");
  EXPECT_TRUE(tree.take_changes());
  EXPECT_THAT(listed(tree), ElementsAre("sub/a.sock"));
  fs::remove(registry / "sub" / "a.sock");
  EXPECT_TRUE(tree.take_changes());
  EXPECT_THAT(listed(tree), IsEmpty());
  EXPECT_FALSE(tree.take_changes());
}

TEST_F(DriverWatchTest, a_directory_that_was_moved_away_is_watched_no_more) {
  DriverTree tree(registry);
  listed(tree);
  fs::create_directory(registry / "sub");
  listed(tree);
  fs::rename(registry / "sub", top_ / "elsewhere");
  EXPECT_TRUE(tree.take_changes());
  listed(tree);
  tree.take_changes();  // That the watch was removed.
  make_socket(top_ / "elsewhere" / "a.sock");
  EXPECT_FALSE(tree.take_changes());
}

TEST_F(DriverWatchTest, the_registry_itself_is_made_again_when_it_goes) {
  DriverTree tree(registry);
  listed(tree);
  make_socket(registry / "a.sock");
  fs::remove_all(registry);
  EXPECT_TRUE(tree.take_changes());
  EXPECT_THAT(listed(tree), IsEmpty());
  tree.take_changes();
  make_socket(registry / "a.sock");
  EXPECT_TRUE(tree.take_changes());
}

TEST_F(DriverWatchTest, in_the_place_of_a_directory_a_link_or_a_file_is_a_problem_and_followed_nowhere) {
  fs::create_directory(top_ / "elsewhere");
  make_socket(top_ / "elsewhere" / "a.sock");
  fs::create_directory_symlink(top_ / "elsewhere", registry);
  DriverTree tree(registry);
  const DriverTree::Listing listing = tree.list();
  EXPECT_THAT(listing.sockets, IsEmpty());
  EXPECT_THAT(listing.problem, HasSubstr("plugins_registry"));
}

TEST_F(DriverWatchTest, has_bounds_and_says_so) {
  fs::create_directory(registry);
  for (int i = 0; i < 300; ++i)
    make_socket(registry / std::to_string(i));
  DriverTree many(registry);
  DriverTree::Listing listing = many.list();
  EXPECT_EQ(listing.sockets.size(), 256u);
  EXPECT_THAT(listing.problem, HasSubstr("too many sockets"));
  fs::remove_all(registry);
  fs::path deep = registry;
  for (int i = 0; i < 12; ++i)
    deep /= "d";
  fs::create_directories(deep);
  DriverTree nested(registry);
  EXPECT_THAT(nested.list().problem, HasSubstr("too many directories"));
}

TEST_F(DriverWatchTest, tells_the_first_listing_and_then_what_differs) {
  boost::asio::io_context loop;
  std::vector<std::vector<std::string>> told;
  DriverWatch watch(
      loop, registry, [&](std::vector<RegistrySocket> sockets) { told.push_back(names(sockets, registry)); },
      [](const std::string& problem) { ADD_FAILURE() << problem; });
  watch.start();
  ASSERT_EQ(told.size(), 1u);
  EXPECT_THAT(told[0], IsEmpty());
  const auto until = [&](std::size_t count) {
    const auto end = std::chrono::steady_clock::now() + std::chrono::seconds(20);
    while (told.size() < count && std::chrono::steady_clock::now() < end)
      loop.run_one_until(end);
  };
  std::ofstream(registry / "no-socket") << "x";
  make_socket(registry / "a.sock");
  until(2);
  ASSERT_EQ(told.size(), 2u);
  EXPECT_THAT(told[1], ElementsAre("a.sock"));
  fs::remove(registry / "a.sock");
  until(3);
  ASSERT_EQ(told.size(), 3u);
  EXPECT_THAT(told[2], IsEmpty());
}

TEST_F(DriverWatchTest, tells_a_problem_once) {
  std::ofstream file(registry);
  boost::asio::io_context loop;
  std::vector<std::string> problems;
  DriverWatch watch(
      loop, registry, [](const std::vector<RegistrySocket>& sockets) { EXPECT_THAT(sockets, IsEmpty()); },
      [&](const std::string& problem) { problems.push_back(problem); });
  watch.start();
  loop.poll();
  EXPECT_EQ(problems.size(), 1u);
}

}  // namespace
}  // namespace mooring
