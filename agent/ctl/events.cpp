#include <cstdio>

#include "ask.h"
#include "commands.h"
#include "documents.h"
#include "output.h"
#include "tables.h"

namespace mooring::ctl {
namespace {

/// Whether the event is about what was asked for: a namespace by -n, a pod by its name.
bool is_asked_for(const Options& options, const StatusEvent& event) {
  const std::string prefix = "pod/" + options.name_space + "/";
  const bool is_about_all_pods = is_about_all(options, Scope::Node);
  if (!options.name.empty()) {
    if (is_about_all_pods)
      return event.object.starts_with("pod/") && event.object.ends_with("/" + options.name);
    return event.object == prefix + options.name;
  }
  return is_about_all_pods || event.object.starts_with(prefix);
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
