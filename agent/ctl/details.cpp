#include "details.h"

#include <fmt/format.h>

#include "ask.h"
#include "base/quote.h"
#include "output.h"

namespace mooring::ctl {
namespace {

std::string since_text(WallTime since) {
  if (since.since_epoch <= Duration::zero()) return "unknown";
  return rfc3339(since) + " (" + age(since) + ")";
}

std::string cause(const VolumeStatus& volume) {
  if (volume.reason.empty() && volume.message.empty()) return "in progress";
  if (volume.reason.empty()) return volume.message;
  return volume.message.empty() ? volume.reason : volume.reason + ": " + volume.message;
}

std::string next_step(const VolumeStatus& volume) {
  if (volume.next_retry) return next_try(volume) + " (" + rfc3339(*volume.next_retry) + ")";
  if (volume.phase == Phase::Stuck) return "when the worker ends";
  if (volume.phase == Phase::Pending) return "when what it waits for changes";
  return "it is being worked on now";
}

std::string usage_text(const VolumeUsage& usage) {
  if (!usage.is_known)
    return usage.unknown_since ? "unknown for " + age(*usage.unknown_since) : std::string("unknown");
  std::string text;
  if (usage.used_bytes) text = size_text(usage.used_bytes) + " of ";
  text += size_text(usage.capacity_bytes) + (usage.used_bytes ? " used, " : " in its file system, ") +
          size_text(usage.available_bytes) + " available";
  if (usage.inodes_used && usage.inodes != 0)
    text += fmt::format("; {} of {} inodes used", *usage.inodes_used, usage.inodes);
  return text + "; measured " + age(usage.measured) + " ago";
}

}  // namespace

std::string field(std::string_view name, std::string_view text) {
  return fmt::format("  {:<11} {}\n", std::string(name) + ":", clean(text));
}

std::string advice(const PodStatus& pod, const VolumeStatus& volume) {
  if (!volume.action.empty()) return volume.action;
  switch (volume.phase) {
    case Phase::Ready:
      return "nothing";
    case Phase::Pending:
      return "change what the cause names (the manifest, or the node); Mooring goes on by itself then";
    case Phase::Stuck:
      return "bring back the server or the device that the volume lies on; nothing else is held up by it";
    default:
      break;
  }
  if (volume.next_retry || volume.attempts > 0) {
    return "remove the cause; then wait for the next try, or try at once: mooringctl -n " +
           pod.name_space.str() + " retry pod/" + pod.name.str();
  }
  return "wait; if it stays so, look at: mooringctl events";
}

std::string volume_details(const PodStatus& pod, const VolumeStatus& volume) {
  const std::string kind = volume.plugin.empty() ? "" : " (" + clean(volume.plugin.str()) + ")";
  std::string out = "volume " + clean(volume.name.str()) + kind + ": " +
                    paint(volume.phase, to_string(volume.phase)) + "\n";
  if (volume.phase != Phase::Ready) out += field("cause", cause(volume));
  out += field("since", since_text(volume.since));
  if (volume.phase != Phase::Ready) {
    out +=
        field("tries", volume.attempts == 0 ? "none has failed" : fmt::format("{} failed", volume.attempts));
    out += field("next try", next_step(volume));
    out += field("what to do", advice(pod, volume));
  }
  if (volume.phase == Phase::Ready && !volume.reason.empty()) out += field("note", cause(volume));
  if (volume.usage) out += field("usage", usage_text(*volume.usage));
  if (volume.usage && !volume.usage->stale.empty()) out += field("stale", volume.usage->stale);
  if (!volume.claim.empty()) out += field("claim", volume.claim);
  if (!volume.path.empty()) out += field("path", volume.path);
  return out;
}

std::string pod_details(const PodStatus& pod) {
  const std::string name = clean(pod.name_space.str() + "/" + pod.name.str());
  std::string state = pod.ready ? paint_good("ready") : paint_bad("not ready");
  if (pod.deleting) state = paint_bad("being removed");
  std::string out =
      fmt::format("pod {}: {}, {} of {} volumes ready\n", name, state, count_ready(pod), pod.volumes.size());
  out += field("uid", pod.uid.str());
  if (!pod.origin.empty()) out += field("manifest", pod.origin);
  if (pod.origin.empty() && pod.deleting) out += field("manifest", "none asks for it any more");
  if (!pod.message.empty()) out += field("note", pod.message);
  if (pod.volumes.empty()) out += field("volumes", "none that a container mounts: there is nothing to do");
  return out;
}

std::string event_details(const std::vector<StatusEvent>& events, const std::string& object,
                          std::size_t most) {
  std::vector<const StatusEvent*> mine;
  for (const StatusEvent& event : events) {
    if (event.object == object) mine.push_back(&event);
  }
  const std::size_t first = mine.size() > most ? mine.size() - most : 0;
  std::string out;
  for (std::size_t i = first; i < mine.size(); ++i) {
    const StatusEvent& event = *mine[i];
    out += fmt::format("  {} ({} ago) {}{}: {}\n", rfc3339(event.time), age(event.time),
                       event.warning ? "warning " : "", clean(event.reason), clean(event.message));
  }
  return out;
}

}  // namespace mooring::ctl
