// Snapshots of volumes of CSI drivers: what is cut, kept and deleted (external-snapshotter).

#include "binding/snapshots.h"

#include "binding_fixture.h"

namespace mooring {
namespace {

using testing::ElementsAre;
using testing::HasSubstr;
using testing::IsEmpty;
using testing::SizeIs;
using Kind = SnapshotWorkEnd::Kind;
using State = LedgerSnapshot::State;

std::string snapshot_yaml(const std::string& name, const std::string& claim_name = "c",
                          const std::string& more = "", const std::string& metadata = "") {
  return "apiVersion: snapshot.storage.k8s.io/v1\nkind: VolumeSnapshot\nmetadata: {name: " + name + metadata +
         "}\nspec:\n  source: {persistentVolumeClaimName: " + claim_name + "}\n" + more + "---\n";
}

std::string snapshot_class(const std::string& name, const std::string& more = "",
                           const std::string& policy = "Delete", const std::string& driver = "d.example.com",
                           const std::string& metadata = "") {
  return "apiVersion: snapshot.storage.k8s.io/v1\nkind: VolumeSnapshotClass\nmetadata: {name: " + name +
         metadata + "}\ndriver: " + driver + "\ndeletionPolicy: " + policy + "\n" + more + "---\n";
}

const std::string is_default_class =
    ", annotations: {snapshot.storage.kubernetes.io/is-default-class: \"true\"}";
const std::string of_keep = "  volumeSnapshotClassName: keep\n";

/// A node with a driver that cuts snapshots, and the claim "c" that has its volume vol-7.
struct Snapshots : Binding {
  Snapshots() {
    CsiDriver driver;
    driver.name = DriverName("d.example.com");
    driver.controller = CsiControllerCapabilities{true, true, true, true, true, true, true};
    drivers[driver.name] = driver;
    provisioners.follow_drivers(drivers);
    base = storage_class("fast", "provisioner: d.example.com\n") + claim("c", "  storageClassName: fast\n");
    read(base);
    settle();
    ends[find("c")->volume] = {VolumeWorkEnd::Kind::Made, {}, {}, CsiCreatedVolume{"vol-7", {}, 0, {}, {}}};
    settle();
  }
  /// Plans, applies, and checks that this was all.
  void cut(const std::string& more = "") {
    if (!more.empty()) read(base + more);
    last_plan = plan_snapshots({store, ledger, drivers, is_complete, work_ends}, random);
    for (const auto& [name, row] : last_plan.changes) {
      if (row) {
        rows.insert_or_assign(name, *row);
      } else {
        rows.erase(name);
      }
    }
    work_ends.clear();
    const SnapshotPlan again = plan_snapshots({store, ledger, drivers, is_complete, {}}, random);
    EXPECT_THAT(again.changes, IsEmpty()) << "a plan that is applied has nothing to add";
    last_plan.snapshots = again.snapshots;
  }
  LedgerSnapshot& row() {
    EXPECT_THAT(rows, SizeIs(1));
    return rows.begin()->second;
  }
  void end(const SnapshotWorkEnd& end) { work_ends[content_name(row())] = end; }
  std::string reason(const std::string& name = "s") const {
    const auto found = last_plan.snapshots.find(claim_key(name));
    return found == last_plan.snapshots.end() ? std::string() : found->second.reason;
  }

  Result<UsableSnapshot> usable(const std::string& name = "s") const {
    return usable_snapshot(ledger, store, *store.find_snapshot(claim_key(name)));
  }

  std::string base;
  std::map<DriverName, CsiDriver> drivers;
  LedgerSnapshots& rows = ledger.snapshots;
  std::map<ObjectName, SnapshotWorkEnd> work_ends;
  SnapshotPlan last_plan;
};

TEST_F(Snapshots, are_written_down_before_the_driver_is_asked_and_are_asked_for_by_one_name) {
  cut(snapshot_class("keep", "parameters: {fast: \"no\"}\n") + snapshot_yaml("s", "c", of_keep));
  EXPECT_EQ(row().state, State::Making);
  EXPECT_EQ(row().volume_handle, "vol-7");
  EXPECT_EQ(row().handle, "");
  const ProvisionWork work = work_of(row());
  const auto step = std::get<CreateCsiSnapshot>(work.steps.at(0));
  EXPECT_EQ(step.request.name, "snapshot-" + row().uid);
  EXPECT_EQ(step.request.parameters.at("fast"), "no");
  EXPECT_EQ(step.volume.handle, "vol-7");
  EXPECT_EQ(work.driver, DriverName("d.example.com"));
  EXPECT_EQ(reason(), "CreatingSnapshot");
  EXPECT_THAT(volumes_being_cut(rows), ElementsAre(find("c")->volume));
}

TEST_F(Snapshots, tell_their_driver_whose_they_are_if_their_class_says_so) {
  const struct {
    const char* annotation;
    bool is_told;
  } cases[] = {{"", false},
               {", annotations: {mooring.io/extra-create-metadata: \"true\"}", true},
               {", annotations: {mooring.io/extra-create-metadata: \"false\"}", false}};
  for (const auto& one : cases) {
    rows.clear();
    cut(snapshot_class("keep", "parameters: {fast: \"no\"}\n", "Delete", "d.example.com", one.annotation) +
        snapshot_yaml("s", "c", of_keep));
    const auto step = std::get<CreateCsiSnapshot>(work_of(row()).steps.at(0));
    std::map<std::string, std::string> expected{{"fast", "no"}};
    if (one.is_told) {
      expected["csi.storage.k8s.io/volumesnapshot/name"] = "s";
      expected["csi.storage.k8s.io/volumesnapshot/namespace"] = "default";
      expected["csi.storage.k8s.io/volumesnapshotcontent/name"] = content_name(row()).str();
    }
    EXPECT_EQ(step.request.parameters, expected) << one.annotation;
    const LedgerSnapshot before = row();
    cut(snapshot_class("keep", "parameters: {fast: \"no\"}\n") + snapshot_yaml("s", "c", of_keep));
    EXPECT_EQ(row(), before) << "it is asked for as it was first, whatever its class says since";
    // What was asked for is asked for once more to learn its handle.
    cut(snapshot_class("keep"));
    EXPECT_EQ(std::get<DeleteCsiSnapshot>(work_of(row()).steps.at(0)).request.parameters, expected);
  }
}

TEST_F(Snapshots, are_usable_when_the_driver_says_so) {
  cut(snapshot_class("keep") + snapshot_yaml("s", "c", of_keep));
  end({Kind::Made, {"snap-1", "vol-7", 1ull << 30, "2026-01-01T00:00:00Z", false}, {}});
  cut();
  EXPECT_EQ(row().handle, "snap-1");
  EXPECT_EQ(reason(), "SnapshotNotReady");
  EXPECT_FALSE(usable());
  EXPECT_THAT(work_of(row()).steps, SizeIs(1)) << "it is asked how far it is";
  end({Kind::Made, {"snap-1", "vol-7", 1ull << 30, "2026-01-01T00:00:00Z", true}, {}});
  cut();
  EXPECT_EQ(row().state, State::Ready);
  EXPECT_EQ(reason(), "");
  EXPECT_THAT(work_of(row()).steps, IsEmpty());
  EXPECT_THAT(volumes_being_cut(rows), IsEmpty());
  const auto found = usable();
  ASSERT_TRUE(found);
  EXPECT_EQ(found.value().handle, "snap-1");
  EXPECT_EQ(found.value().restore_size, quantity("1Gi"));
}

TEST_F(Snapshots, go_with_their_manifest_as_their_class_says) {
  for (const char* policy : {"Delete", "Retain"}) {
    rows.clear();
    cut(snapshot_class("keep", "", policy) + snapshot_yaml("s", "c", of_keep));
    end({Kind::Made, {"snap-1", "vol-7", 0, "", true}, {}});
    cut();
    cut(snapshot_class("other"));
    if (std::string(policy) == "Retain") {
      EXPECT_EQ(row().state, State::Released);
      EXPECT_THAT(work_of(row()).steps, IsEmpty());
      continue;
    }
    EXPECT_EQ(row().state, State::Deleting);
    EXPECT_EQ(std::get<DeleteCsiSnapshot>(work_of(row()).steps.at(0)).snapshot_id, "snap-1");
    end({Kind::Removed, {}, {}});
    cut();
    EXPECT_THAT(rows, IsEmpty());
  }
}

TEST_F(Snapshots, of_unknown_handle_are_deleted_by_their_name_whatever_their_class_says) {
  cut(snapshot_class("keep", "", "Retain") + snapshot_yaml("s", "c", of_keep));
  const std::string name = std::get<CreateCsiSnapshot>(work_of(row()).steps.at(0)).request.name;
  cut(snapshot_class("keep"));
  EXPECT_EQ(row().state, State::Deleting);
  const auto step = std::get<DeleteCsiSnapshot>(work_of(row()).steps.at(0));
  EXPECT_EQ(step.snapshot_id, "");
  EXPECT_EQ(step.request.name, name);
  EXPECT_THAT(volumes_being_cut(rows), SizeIs(1)) << "the driver may be asked for it once more";
}

TEST_F(Snapshots, stay_while_manifests_are_unread_and_while_a_volume_is_made_from_them) {
  cut(snapshot_class("keep") + snapshot_yaml("s", "c", of_keep));
  end({Kind::Made, {"snap-1", "vol-7", 0, "", true}, {}});
  cut();
  is_complete = false;
  cut(snapshot_class("keep"));
  EXPECT_EQ(row().state, State::Ready);
  is_complete = true;
  LedgerVolume& volume = ledger.volumes.at(find("c")->volume);
  const LedgerVolume before = volume;
  volume.state = LedgerVolume::State::Provisioning;
  volume.parameters["snapshot"] = "snap-1";
  cut();
  EXPECT_EQ(row().state, State::Ready);
  volume = before;
  cut();
  EXPECT_EQ(row().state, State::Deleting);
}

TEST_F(Snapshots, say_why_they_are_not_cut) {
  const struct {
    std::string text;
    const char* reason;
  } cases[] = {
      {snapshot_class("keep") + snapshot_yaml("s", "none", of_keep), "ClaimNotBound"},
      {snapshot_yaml("s", "c", of_keep), "SnapshotClassNotFound"},
      {snapshot_class("keep") + snapshot_yaml("s"), "SnapshotClassNotFound"},
      {snapshot_class("keep", "", "Delete", "e.example.com") + snapshot_yaml("s", "c", of_keep),
       "SnapshotClassMismatch"},
      {snapshot_class("one", "", "Delete", "d.example.com", is_default_class) +
           snapshot_class("two", "", "Delete", "d.example.com", is_default_class) + snapshot_yaml("s"),
       "SnapshotClassAmbiguous"},
      {snapshot_class("keep", "parameters: {csi.storage.k8s.io/odd: x}\n") + snapshot_yaml("s", "c", of_keep),
       "InvalidParameters"},
  };
  for (const auto& one : cases) {
    cut(one.text);
    EXPECT_EQ(reason(), one.reason) << one.text;
    EXPECT_THAT(rows, IsEmpty());
  }
  const std::string good = snapshot_class("keep") + snapshot_yaml("s", "c", of_keep);
  drivers.begin()->second.controller->create_delete_snapshot = false;
  cut(good);
  EXPECT_EQ(reason(), "SnapshotUnsupported");
  drivers.clear();
  cut();
  EXPECT_EQ(reason(), "DriverNotRegistered");
}

TEST_F(Snapshots, have_the_default_class_of_their_driver) {
  cut(snapshot_class("other", "", "Delete", "e.example.com", is_default_class) +
      snapshot_class("usual", "", "Delete", "d.example.com", is_default_class) + snapshot_yaml("s"));
  EXPECT_EQ(row().snapshot_class, "usual");
}

TEST_F(Snapshots, have_secrets_by_the_templates_of_their_class) {
  cut(snapshot_class("keep",
                     "parameters:\n  csi.storage.k8s.io/snapshotter-secret-name: of-${volumesnapshot.name}\n"
                     "  csi.storage.k8s.io/snapshotter-secret-namespace: ${volumesnapshot.namespace}\n") +
      snapshot_yaml("s", "c", of_keep));
  ASSERT_TRUE(row().secret);
  EXPECT_EQ(row().secret->text(), "default/of-s");
  EXPECT_EQ(work_of(row()).secret, row().secret);
  EXPECT_THAT(row().parameters, IsEmpty());
}

TEST_F(Snapshots, that_a_driver_refuses_say_so_and_are_asked_for_again) {
  cut(snapshot_class("keep") + snapshot_yaml("s", "c", of_keep));
  end({Kind::Impossible, {}, "no such tier"});
  cut();
  EXPECT_EQ(reason(), "SnapshotCreationFailed");
  EXPECT_THAT(last_plan.snapshots.begin()->second.message, HasSubstr("no such tier"));
  EXPECT_THAT(work_of(row()).steps, SizeIs(1));
  end({Kind::Made, {"snap-1", "vol-7", 0, "", true}, {}});
  cut();
  EXPECT_EQ(row().state, State::Ready);
  EXPECT_EQ(row().message, "");
}

TEST_F(Snapshots, that_were_kept_are_forgotten_when_a_content_of_the_manifests_names_their_handle) {
  cut(snapshot_class("keep", "", "Retain") + snapshot_yaml("s", "c", of_keep));
  end({Kind::Made, {"snap-1", "vol-7", 0, "", true}, {}});
  cut();
  const auto content = [](const std::string& driver, const std::string& handle) {
    return "apiVersion: snapshot.storage.k8s.io/v1\nkind: VolumeSnapshotContent\nmetadata: {name: sc}\n"
           "spec:\n  deletionPolicy: Retain\n  driver: " +
           driver + "\n  source: {snapshotHandle: " + handle +
           "}\n  volumeSnapshotRef: {name: again, namespace: default}\n---\n";
  };
  cut(content("e.example.com", "snap-1"));
  EXPECT_EQ(row().state, State::Released) << "another driver's";
  cut(content("d.example.com", "snap-2"));
  EXPECT_EQ(row().state, State::Released) << "another snapshot";
  cut(content("d.example.com", "snap-1"));
  EXPECT_THAT(rows, IsEmpty());
}

TEST_F(Snapshots, that_a_content_of_the_manifests_is_for_are_not_cut_once_more) {
  const std::string brought =
      "apiVersion: snapshot.storage.k8s.io/v1\nkind: VolumeSnapshotContent\nmetadata: {name: sc}\n"
      "spec:\n  deletionPolicy: Delete\n  driver: d.example.com\n  source: {volumeHandle: vol-7}\n"
      "  volumeSnapshotRef: {name: s, namespace: default}\n";
  cut(snapshot_class("keep") + snapshot_yaml("s", "c", of_keep) + brought + "---\n");
  EXPECT_THAT(rows, IsEmpty());
  EXPECT_EQ(reason(), "SnapshotNotReady");
  cut(snapshot_class("keep") + snapshot_yaml("s", "c", of_keep) + brought +
      "status: {snapshotHandle: snap-5, readyToUse: true, restoreSize: 2Gi}\n---\n");
  EXPECT_EQ(reason(), "");
  const auto found = usable();
  ASSERT_TRUE(found);
  EXPECT_EQ(found.value().handle, "snap-5");
  EXPECT_EQ(found.value().restore_size, quantity("2Gi"));
}

TEST_F(Snapshots, whose_row_is_another_ones_of_that_name_are_not_usable) {
  const auto of = [](const char* uid) {
    return snapshot_class("keep") + snapshot_yaml("s", "c", of_keep, std::string(", uid: ") + uid);
  };
  cut(of("one"));
  end({Kind::Made, {"snap-1", "vol-7", 0, "", true}, {}});
  cut();
  EXPECT_TRUE(usable());
  read(base + of("two"));
  const auto found = usable();
  ASSERT_FALSE(found);
  EXPECT_EQ(found.error().reason, "SnapshotNotReady");
}

TEST_F(Snapshots, with_another_uid_are_other_snapshots) {
  const auto of = [](const char* uid) {
    return snapshot_class("keep") + snapshot_yaml("s", "c", of_keep, std::string(", uid: ") + uid);
  };
  cut(of("one"));
  end({Kind::Made, {"snap-1", "vol-7", 0, "", true}, {}});
  cut();
  cut(of("two"));
  ASSERT_THAT(rows, SizeIs(2));
  EXPECT_EQ(rows.at(ObjectName("snapcontent-one")).state, State::Deleting);
  EXPECT_EQ(rows.at(ObjectName("snapcontent-two")).state, State::Making);
}

}  // namespace
}  // namespace mooring
