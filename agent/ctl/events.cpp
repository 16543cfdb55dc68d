#include <cstdio>

#include "ask.h"
#include "commands.h"
#include "documents.h"
#include "output.h"
#include "storage.h"
#include "tables.h"

namespace mooring::ctl {
namespace {

/// Whether the event is about what was asked for: a namespace by -n, a pod by its name, a claim by pvc/NAME,
/// a PersistentVolume by pv/NAME.
bool is_asked_for(const Options& options, const StatusEvent& event) {
  const auto object = parse_object_reference(options.name);
  if (object && object.value().kind == Kind::PersistentVolumes)
    return event.object == "persistentvolume/" + object.value().name;
  const bool is_claim = object && object.value().kind == Kind::Claims;
  const std::string name = is_claim ? object.value().name : options.name;
  const std::string kind = is_claim ? "persistentvolumeclaim/" : "pod/";
  const bool is_about_all_of_them = is_about_all(options, Scope::Node);
  if (!name.empty()) {
    if (is_about_all_of_them) return event.object.starts_with(kind) && event.object.ends_with("/" + name);
    return event.object == kind + options.name_space + "/" + name;
  }
  return is_about_all_of_them || event.object.starts_with("pod/" + options.name_space + "/") ||
         event.object.starts_with("persistentvolumeclaim/" + options.name_space + "/");
}

ExitStatus follow(Client& client, const Options& options) {
  const Result<void> followed = client.follow_events(0, [&](const StatusEvent& event) {
    if (!is_asked_for(options, event)) return true;
    if (options.format == Format::Json) {
      answer(event_json(event).dump(-1, ' ', false, Json::error_handler_t::replace) + "\n");
    } else if (options.format == Format::Yaml) {
      answer("---\n" + to_yaml(event_json(event)));
    } else if (options.format == Format::Name) {
      answer("event/" + std::to_string(event.sequence) + "\n");
    } else {
      answer(event_line(event));
    }
    return std::fflush(stdout) == 0;
  });
  return followed ? ExitStatus::Ok : fail(followed.error());
}

}  // namespace

ExitStatus run_events(const Options& options) {
  const auto client = connect(options);
  if (!client) return fail(client.error());
  if (options.follow || options.watch) return follow(*client.value(), options);
  Result<std::vector<StatusEvent>> asked = client.value()->events_since(0);
  if (!asked) return fail(asked.error());
  std::vector<StatusEvent> events = std::move(asked).value();
  std::erase_if(events, [&](const StatusEvent& event) { return !is_asked_for(options, event); });
  if (options.format == Format::Json || options.format == Format::Yaml) {
    Json items = Json::array();
    for (const StatusEvent& event : events)
      items.push_back(event_json(event));
    print_document(list_json("EventList", std::move(items)), options.format);
  } else if (options.format == Format::Name) {
    for (const StatusEvent& event : events)
      answer("event/" + std::to_string(event.sequence) + "\n");
  } else if (events.empty()) {
    message("there are no events");
  } else {
    answer(event_table(events));
  }
  return ExitStatus::Ok;
}

}  // namespace mooring::ctl
