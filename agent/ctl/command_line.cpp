#include <CLI/CLI.hpp>
#include <cerrno>
#include <cstdio>
#include <map>

#include "base/error.h"
#include "commands.h"
#include "output.h"

namespace mooring::ctl {
namespace {

const std::map<std::string, Format> formats{{"table", Format::Table},
                                            {"wide", Format::Wide},
                                            {"json", Format::Json},
                                            {"yaml", Format::Yaml},
                                            {"name", Format::Name}};
const std::map<std::string, ColorMode> color_modes{
    {"auto", ColorMode::Auto}, {"always", ColorMode::Always}, {"never", ColorMode::Never}};

/// An option whose value is one of a few words.
template <class T>
void add_choice(CLI::App& app, const std::string& name, T& chosen, const std::map<std::string, T>& words,
                const std::string& text, const std::string& type) {
  const auto choose = [&chosen, &words, name, text](const std::string& word) {
    const auto found = words.find(word);
    if (found == words.end()) throw CLI::ValidationError(name, word + " is not one of " + text);
    chosen = found->second;
  };
  app.add_option_function<std::string>(name, choose, text)->type_name(type);
}

void add_global_options(CLI::App& app, Options& options) {
  app.add_option("--bus", options.bus, "system, session or a D-Bus address (unix:path=PATH)")
      ->envname("MOORING_BUS")
      ->type_name("ADDRESS")
      ->capture_default_str();
  app.add_option("-n,--namespace", options.name_space, "the namespace")->capture_default_str();
  app.add_flag("-A,--all-namespaces", options.all_namespaces, "all namespaces");
  add_choice(app, "-o,--output", options.format, formats, "table, wide, json, yaml or name", "FORMAT");
  app.add_flag("-w,--watch", options.watch, "print again whenever something changes");
  add_choice(app, "--color", options.color, color_modes, "auto, always or never", "WHEN");
}

/// Declares the commands; the one that is given is put into `chosen`.
class Commands {
 public:
  Commands(CLI::App& app, Options& options, Command& chosen)
      : app_(app), options_(options), chosen_(chosen) {}

  void declare_queries() {
    add("status", "what the node's pods and volumes are like", run_status)
        ->add_flag("-x", options_.only_exceptions, "only what is not as it should be");
    CLI::App* get = add("get", "a table of objects", run_get);
    get->add_option("KIND", options_.kind,
                    "pods, volumes, events, plugins, pv, pvc, sc, volumesnapshots, devices or drivers")
        ->required();
    get->add_option("NAME", options_.name, "only this one; a volume's is POD or POD/VOLUME");
    CLI::App* describe = add("describe", "everything about one object", run_describe);
    describe->add_option("KIND", options_.kind, "pod, volume, pvc, pv, sc, device, driver or plugin")
        ->required();
    describe->add_option("NAME", options_.name, "its name; a volume's is POD/VOLUME");
    add_name(add("explain", "why a pod, a volume or a claim is as it is, and what to do", run_explain),
             "pod/NAME, pod/NAME/VOLUME, pvc/NAME, pv/NAME or sc/NAME");
    add("tree", "a picture: plugin, path, pods, containers", run_tree);
    add("events", "the daemon's log of events", run_events)
        ->add_flag("-f,--follow", options_.follow, "go on with each new event");
    add("dump", "everything that the daemon tells, for a report", run_dump);
    add("version", "the versions of this program and of the daemon", run_version);
  }

  void declare_actions() {
    CLI::App* wait = add("wait", "wait until a pod is ready or gone, or a claim bound or gone", run_wait);
    add_name(wait, "pod/NAME or pvc/NAME");
    wait->add_option("--for", options_.condition, "ready (a pod), bound (a claim) or gone")
        ->required()
        ->check(CLI::IsMember({"ready", "bound", "gone"}).description(""))
        ->type_name("CONDITION");
    wait->add_option("--timeout", options_.timeout, "how long; 0: without end")->capture_default_str();
    CLI::App* render = add("render", "a pod's mounts in the words of a runtime", run_render);
    add_name(render, "pod/NAME");
    render->add_option("-c,--container", options_.container, "only this container's");
    render->add_option("--runtime", options_.runtime, "oci, podman, nspawn or cri")
        ->required()
        ->check(CLI::IsMember({"oci", "podman", "nspawn", "cri"}).description(""))
        ->type_name("RUNTIME");
    CLI::Option* process = render->add_flag("--process", options_.with_process,
                                            "oci, cri: not the mounts, but what the pod asks of the process");
    render->add_flag("--devices", options_.with_devices, "oci, cri: not the mounts, but the raw devices")
        ->excludes(process);
    add_name(add("delete", "delete a claim that no manifest holds any more", run_delete), "pvc/NAME");
    CLI::App* release =
        add("release", "make a Released or Failed volume free, its data as it is", run_release);
    add_name(release, "pv/NAME, or with --forget volumesnapshot/NAME");
    release->add_flag(
        "--forget", options_.forget,
        "forget a provisioned volume, or what is left of a snapshot, instead, and keep its data");
    add("retry", "try again now what waits for its next try", run_retry)
        ->add_option("NAME", options_.name, "pod/NAME; without it: everything");
  }

  void declare_offline() {
    add_offline(add("plan", "what a daemon on an empty node would do for manifests", run_plan));
    add_offline(add("verify", "what is wrong with manifests", run_verify));
    add("completion", "a completion script for a shell", run_completion)
        ->add_option("SHELL", options_.shell, "bash")
        ->required()
        ->check(CLI::IsMember({"bash"}).description(""));
  }

 private:
  CLI::App* add(const std::string& name, const std::string& text, ExitStatus (*run)(const Options&)) {
    CLI::App* command = app_.add_subcommand(name, text);
    command->fallthrough();
    command->callback([this, run] { chosen_ = run; });
    return command;
  }
  void add_name(CLI::App* command, const std::string& text) {
    command->add_option("NAME", options_.name, text)->required();
  }
  void add_offline(CLI::App* command) {
    command->add_option("-f,--filename", options_.files, "a file, a directory, or - for the standard input")
        ->required()
        ->type_name("FILE");
    command->add_option("--root-dir", options_.root_dir, "the daemon's root directory")
        ->capture_default_str()
        ->type_name("DIR");
    command->add_option("--node-name", options_.node_name, "the node's name, if not the host's")
        ->type_name("NAME");
  }

  CLI::App& app_;
  Options& options_;
  Command& chosen_;
};

}  // namespace

CommandLine parse_command_line(int argc, const char* const* argv) {
  CLI::App app("Asks the Mooring volume manager of this node", "mooringctl");
  CommandLine line;
  app.set_version_flag("--version", std::string("mooringctl ") + MOORING_VERSION);
  add_global_options(app, line.options);
  Commands commands(app, line.options, line.command);
  commands.declare_queries();
  commands.declare_actions();
  commands.declare_offline();
  app.require_subcommand(1);
  try {
    app.parse(argc, argv);
  } catch (const CLI::ParseError& error) {
    line.command = nullptr;
    line.status = app.exit(error) == 0 ? 0 : static_cast<int>(ExitStatus::Usage);
    return line;
  }
  line.options.has_namespace = app.count("--namespace") > 0;
  return line;
}

int run(int argc, const char* const* argv) {
  const CommandLine line = parse_command_line(argc, argv);
  if (!line.command) return line.status;
  set_color(line.options.color);
  const ExitStatus status = line.command(line.options);
  if (std::fflush(stdout) != 0 || std::ferror(stdout) != 0) {
    message("cannot write the answer: " + errno_text(errno));
    return static_cast<int>(ExitStatus::Failed);
  }
  return static_cast<int>(status);
}

ExitStatus fail(const Error& error) {
  message(error.remedy.empty() ? error.message : error.message + " (" + error.remedy + ")");
  const std::string& reason = error.reason;
  if (reason == "Usage" || reason == "InvalidArgument") return ExitStatus::Usage;
  if (reason == "NotReady") return ExitStatus::NotInDesiredState;
  if (reason.starts_with("NoSuch")) return ExitStatus::NoSuchObject;
  if (reason == "NoDaemon") return ExitStatus::NoDaemon;
  if (reason == "TimedOut") return ExitStatus::TimedOut;
  if (reason == "NotPermitted") return ExitStatus::NotPermitted;
  return ExitStatus::Failed;
}

}  // namespace mooring::ctl
