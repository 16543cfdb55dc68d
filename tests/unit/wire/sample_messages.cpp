#include "sample_messages.h"

namespace mooring::wire {

namespace {

CsiVolume csi_volume() {
  return {DriverName("d.example.org"), "/run/d.sock", "vol#1", 1234};
}

}  // namespace

std::vector<Step> every_step() {
  const FlexProgram flex_program{
      DriverName("example.com/nfs"), "/flex/example.com~nfs/nfs", {"attach"}, 5000};
  const FlexVolume flex_volume{"pv-1", "ext4", true, {{"share", "server:/x"}, {"a", ""}}};
  const CsiVolume controller{DriverName("d.example.com"), "/run/d.sock", "vol-1", 5000};
  const std::map<std::string, SecretBytes> secrets{{"key", SecretBytes(std::string("\0x", 2))}};
  CsiVolumeRequest asked{"pvc-1", 1u << 20, 2u << 20, {}, {{"type", "fast"}}, {}, {}, {}};
  asked.capabilities = {{false, "ext4", {"noatime"}, "7", CsiAccessMode::MultiNodeReaderOnly}};
  asked.source = {CsiContentSource::Kind::Volume, "vol-0"};
  asked.requisite = {{{"zone", "a"}}, {}};
  asked.preferred = {{{"zone", "a"}}};
  return {
      MakePodDirectory{PodUid("u1"), Namespace("default"), ObjectName("web")},
      MakeDirectory{"pods/u1/a", 0777},
      MountTmpfs{"pods/u1/b", 64u << 20, 0700},
      MountTmpfs{"pods/u1/c", std::nullopt, 01777},
      MountHugetlbfs{"pods/u1/d", 2u << 20},
      BindMount{"/srv/source", "pods/u1/e", true, false},
      Unmount{"pods/u1/f", {"tmpfs", "hugetlbfs"}},
      DiscardDirectory{"pods/u1/g", "u1.g"},
      EmptyTrash{"u1.g"},
      RemovePodDirectory{PodUid("u1")},
      CheckHostPath{"/srv/h", HostPathType::Socket, "/srv"},
      CheckHostPath{"/srv/i", HostPathType::BlockDevice, std::nullopt},
      WatchHostPath{"/srv/j", "/srv"},
      WatchHostPath{"/srv/k", std::nullopt},
      PublishFiles{
          "pods/u1/c", "..2001_09_09_01_46_40.0", {{"a/b", 0400, SecretBytes(std::string("\0x", 2))}}, {"m"}},
      PublishFiles{"pods/u1/c", "", {}, {}, 2000, {{"a~1b", "a/b"}}},
      BindSubPath{"pods/u1/c", "", std::nullopt, "a/b", "pods/u1/volume-subpaths/c/web/0", true,
                  "container web"},
      BindSubPath{"", "/srv/h", "/srv", "x", "pods/u1/volume-subpaths/h/web/1", false, "container web",
                  Propagation::Shared},
      ReleaseSubPaths{PodUid("u1"), VolumeName("c")},
      UnmountLeftovers{"pods/u1/c", 1},
      ChangeGroup{"pods/u1/a", 2000, true, true, 10'000},
      MapGroup{"pods/u1/a", 2000, true, 10'000},
      AttachDevice{{DeviceName::Kind::Image, "/srv/a.img"}, 1u << 30, true},
      AttachDevice{{DeviceName::Kind::Uuid, "6c1f"}, std::nullopt, false},
      DetachDevice{{DeviceName::Kind::Path, "/dev/sdb"}},
      FormatDevice{
          {DeviceName::Kind::Label, "data"}, "plugins/m", "plugins/s", "xfs", FormatPolicy::IfBlank, true},
      CheckFileSystem{{DeviceName::Kind::Wwid, "naa.1"}, "plugins/m", "ext4"},
      MountDevice{{DeviceName::Kind::Path, "/dev/sdb"}, "plugins/m", "ext4", {"noatime", "discard"}, true},
      GrowFileSystem{{DeviceName::Kind::Image, "/srv/a.img"}, "plugins/m", "ext4", 2u << 30},
      ProveStaged{{DeviceName::Kind::Path, "/dev/sdb"}, "plugins/m"},
      UnmountDevice{"plugins/m", {DeviceName::Kind::Label, "data"}},
      MapDevice{{DeviceName::Kind::Path, "/dev/sdb"}, "plugins/d", PodUid("u1"), "pods/u1/l", true},
      UnmapDevice{"plugins/d", PodUid("u1"), "pods/u1/l"},
      MountNetwork{"pods/u1/n", "nfs", "server:/x", {"hard"}, true},
      UnmountNetwork{"pods/u1/n", UnmountPolicy::Lazy, 2},
      RemoveDirectory{"pods/u1/n"},
      MeasureUsage{"pods/u1/n"},
      LimitDirectory{"pods/u1/a", 10u << 20},
      UnlimitDirectory{"pods/u1/a"},
      MeasureDirectory{"pods/u1/a"},
      LimitDirectory{"pvc-1", 10u << 20, "/srv/volumes"},
      MakeVolumeDirectory{"/srv/volumes", "shop/data", ObjectName("pvc-1"), 0770, "plugins/x/made/pvc-1",
                          "t1", "plugins/x/bases/1"},
      RemoveVolumeDirectory{"/srv/volumes", "shop/data", ObjectName("pvc-1"), "plugins/x/made/pvc-1", "t2",
                            "plugins/x/bases/2"},
      SetAsideVolumeDirectory{"plugins/n", "shop/data", ObjectName("pvc-1"), "archived-data", "t3",
                              "plugins/x/bases/3"},
      EmptyDirectory{"/srv/data"},
      PrepareImage{"/srv/volumes/pvc-1.img", ObjectName("pvc-1"), "t4", "plugins/x/bases/4"},
      RemoveImage{"/srv/volumes/pvc-1.img", "plugins/x/images/pvc-1", "plugins/x/formatted/pvc-1",
                  ObjectName("pvc-1"), "t5"},
      ProbeFlexDriver{flex_program},
      StageFlexVolume{flex_program, flex_volume, NodeName("n1"), "plugins/k/m/pv-1", "plugins/k/f/pv-1"},
      UnstageFlexVolume{flex_program, "pv-1", NodeName("n1"), "plugins/k/m/pv-1"},
      GrowFlexVolume{flex_program, flex_volume, "plugins/k/m/pv-1", 1u << 30, false},
      PublishFlexVolume{flex_program,
                        flex_volume,
                        {PodUid("u1"),
                         Namespace("default"),
                         ObjectName("web"),
                         "builder",
                         2000,
                         {{"key", SecretBytes(std::string("\0x", 2))}}},
                        "pods/u1/x",
                        "plugins/k/m/pv-1"},
      UnpublishFlexVolume{flex_program, "pods/u1/x"},
      ProbeCsiDriver{"/var/lib/mooring/plugins_registry/d-reg.sock", true, DriverName("d.example.com")},
      NotifyRegistration{"/var/lib/mooring/plugins_registry/d-reg.sock", false, "why"},
      StageCsiVolume{csi_volume(),
                     "plugins/s",
                     "plugins/d.json",
                     true,
                     {false, "ext4", {"noatime"}, "2000", CsiAccessMode::SingleNodeMultiWriter},
                     {{"devicePath", "/dev/x"}},
                     {{"share", "a"}, {"size", "1"}},
                     {{"password", SecretBytes(std::string("\0y", 2))}}},
      UnstageCsiVolume{csi_volume(), "plugins/s", "plugins/d.json", true, "plugins/p", "plugins/b"},
      PublishCsiVolume{csi_volume(),
                       "pods/u1/t",
                       "pods/u1/d.json",
                       "{}",
                       "plugins/s",
                       true,
                       {true, "", {}, "", CsiAccessMode::MultiNodeReaderOnly},
                       {{"a", "b"}},
                       {{"c", "d"}},
                       {{"e", SecretBytes("f")}},
                       CsiDeviceMap{"plugins/p", "pods/u1/l"}},
      UnpublishCsiVolume{csi_volume(),
                         "pods/u1/t",
                         "pods/u1/d.json",
                         CsiDeviceMap{"plugins/p", "pods/u1/l"},
                         {{"d.example.org", "/run/d.sock"}}},
      UnpublishCsiVolume{{}, "pods/u1/t", "", std::nullopt, {}},
      ExpandCsiVolume{
          csi_volume(), "plugins/s", "plugins/s", 1u << 30, true, false, {}, {{"k", SecretBytes("v")}}},
      MeasureCsiVolume{csi_volume(), "pods/u1/t", "plugins/s"},
      CreateCsiVolume{controller, asked, secrets},
      DeleteCsiVolume{controller, {}, secrets},
      PublishCsiController{controller, "n1", asked.capabilities[0], true, {{"a", "b"}}, secrets},
      PublishCsiController{controller,
                           "n1",
                           {},
                           false,
                           {},
                           secrets,
                           "plugins/a.json",
                           ObjectKey{Namespace("storage"), ObjectName("login")},
                           "plugins/s"},
      UnpublishCsiController{controller, "n1", {}},
      UnpublishCsiController{controller, "n1", secrets, "plugins/a.json"},
      ExpandCsiController{controller, 5u << 20, asked.capabilities[0], secrets},
      CreateCsiSnapshot{controller, {"snapshot-1", {{"a", "b"}}}, secrets},
      DeleteCsiSnapshot{controller, "snap-1", {}, secrets},
      ScanTree{}};
}

Operation sample_operation() {
  Operation operation;
  operation.id = OperationId{0x1122334455667788};
  operation.pod = PodUid("u1");
  operation.lane = Lane::Own;
  operation.deadline_ms = 123456;
  operation.what = "publish default/web/cache";
  operation.steps = every_step();
  return operation;
}

std::vector<Outcome> sample_outcomes() {
  Outcome failed;
  failed.id = OperationId{7};
  failed.steps_done = 3;
  failed.error = Error{ErrorKind::Uncertain, "MountFailed",     "it failed", "mount", "pods/u1/a", 16,
                       "try it again",       {"inner", "outer"}};
  failed.changed = true;
  failed.trash_entry = "u1.g";
  failed.watches = {41, 42};
  failed.progress = "10 files looked at";
  failed.warnings = {"one", "two"};

  Outcome scanned;
  scanned.id = OperationId{8};
  scanned.is_partial = true;
  FoundPod pod;
  pod.uid = PodUid("u2");
  pod.has_stamp = true;
  pod.name_space = Namespace("kube-system");
  pod.name = ObjectName("dns");
  pod.volumes = {{PluginName("kubernetes.io/empty-dir"), VolumeDirectory("cache"), true},
                 {PluginName("example.org/other"), VolumeDirectory("x"), false}};
  pod.strangers = {"containers", "odd\nname"};
  scanned.tree = TreeFacts{{pod, FoundPod{}}, {"t1", "t2"}};
  scanned.tree->attachments = {
      {DriverName("d.example.com"), "h", "n1", ObjectKey{Namespace("storage"), ObjectName("login")}, "s"},
      {DriverName("d.example.com"), "h2", "n1", std::nullopt, ""}};

  Outcome measured;
  measured.id = OperationId{9};
  measured.usage = FileSystemUsage{10u << 20, 3u << 20, 7u << 20, 1000, 11, 989};
  measured.is_enforced = true;
  measured.condition = CsiCondition{true, "a disk of it is sick"};

  Outcome probed;
  probed.id = OperationId{10};
  probed.flex_probe = FlexProbe{false, true, true, false, true};
  probed.flex_unsupported = {{DriverName("example.com/nfs"), "attach"}};
  Outcome known;
  known.id = OperationId{11};
  CsiDriver driver{DriverName("d.example.com"), "/run/d.sock", "1.9", "v3", "node-1", {}, 12, {}, {}, true};
  driver.topology = {{"zone", "a"}, {"rack", ""}};
  driver.node.stage_unstage = driver.node.volume_mount_group = true;
  driver.controller = CsiControllerCapabilities{true, false, false, false, true, false, true};
  driver.controller_socket = "/run/c.sock";
  known.csi_driver = driver;
  known.csi_calls = {{{}, "csi.v1.Node/NodeGetInfo", CallCode::Ok, 1500},
                     {DriverName("d"), "csi.v1.Node/NodePublishVolume", CallCode::Unauthenticated, 1u << 30}};
  Outcome made;
  made.csi_made =
      CsiCreatedVolume{"vol-1", {{"a", "b"}}, 1u << 20, {CsiContentSource::Kind::Snapshot, "s"}, {{}, {}}};
  Outcome attached;
  attached.csi_made = CsiPublishContext{{{"device", "/dev/x"}}};
  Outcome grown;
  grown.csi_made = CsiExpansion{2u << 20, true};
  Outcome cut;
  cut.csi_made = CsiSnapshot{"s", "vol-1", 1u << 20, "2026-11-21T09:30:00Z", true};
  return {failed, scanned, measured, probed, known, made, attached, grown, cut, Outcome{}};
}

std::vector<Message> sample_messages() {
  Operation small;
  small.id = OperationId{2};
  small.steps = {ScanTree{}};
  return {Welcome{},  Welcome{9, "/var/lib/mooring", 2049, 12},
          Hello{},    Hello{9, 4242, "/resolved", "wrong mount namespace"},
          Batch{},    Batch{{sample_operation(), small, Operation{}}},
          Outcomes{}, Outcomes{sample_outcomes()}};
}

}  // namespace mooring::wire
