#pragma once

#include <sys/types.h>

#include <nlohmann/json.hpp>
#include <string>
#include <vector>

namespace mooring::kernel::contract {

/// A running mock_csi with a directory of its own; it ends with this object.
class MockDriver {
 public:
  explicit MockDriver(const std::vector<std::string>& options = {});
  ~MockDriver();
  MockDriver(const MockDriver&) = delete;
  MockDriver& operator=(const MockDriver&) = delete;

  std::string socket() const { return directory_ + "/csi.sock"; }
  std::string registration_socket() const { return directory_ + "/reg.sock"; }
  std::string path(const std::string& name) const { return directory_ + "/" + name; }
  void set_script(const nlohmann::json& script) const;
  /// What it was asked: {"method", "request"}.
  std::vector<nlohmann::json> requests() const;

 private:
  std::string directory_;
  pid_t pid_ = -1;
};

}  // namespace mooring::kernel::contract
