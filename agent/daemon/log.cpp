#include "daemon/log.h"

#include <spdlog/sinks/base_sink.h>
#include <spdlog/sinks/stdout_sinks.h>
#include <sys/stat.h>
#include <sys/uio.h>
#include <syslog.h>
#include <systemd/sd-journal.h>

#include <cstdlib>
#include <mutex>
#include <vector>

#include "base/quote.h"

namespace mooring {
namespace {

/// The event that is being logged, for the journal's fields. The core has one thread.
const StatusEvent* current_event = nullptr;

int priority_of(spdlog::level::level_enum level) {
  switch (level) {
    case spdlog::level::trace:
    case spdlog::level::debug:
      return LOG_DEBUG;
    case spdlog::level::warn:
      return LOG_WARNING;
    case spdlog::level::err:
      return LOG_ERR;
    case spdlog::level::critical:
      return LOG_CRIT;
    default:
      return LOG_INFO;
  }
}

class JournalSink final : public spdlog::sinks::base_sink<std::mutex> {
 protected:
  void sink_it_(const spdlog::details::log_msg& message) override {
    std::vector<std::string> fields{"MESSAGE=" + std::string(message.payload.data(), message.payload.size()),
                                    "PRIORITY=" + std::to_string(priority_of(message.level))};
    if (current_event != nullptr) {
      fields.push_back("MOORING_REASON=" + current_event->reason);
      fields.push_back("MOORING_OBJECT=" + current_event->object);
    }
    std::vector<iovec> parts;
    for (std::string& field : fields)
      parts.push_back({field.data(), field.size()});
    sd_journal_sendv(parts.data(), static_cast<int>(parts.size()));
  }
  void flush_() override {}
};

bool is_journal_connected() {
  const char* stream = std::getenv("JOURNAL_STREAM");
  struct stat status {};
  if (stream == nullptr || fstat(2, &status) != 0) return false;
  return std::string(stream) == std::to_string(status.st_dev) + ":" + std::to_string(status.st_ino);
}

}  // namespace

void set_up_log(const std::string& level) {
  std::shared_ptr<spdlog::logger> logger;
  if (is_journal_connected()) {
    logger = std::make_shared<spdlog::logger>("mooringd", std::make_shared<JournalSink>());
  } else {
    logger = std::make_shared<spdlog::logger>("mooringd", std::make_shared<spdlog::sinks::stderr_sink_mt>());
    logger->set_pattern("%Y-%m-%dT%H:%M:%S.%e%z %l %v");
  }
  logger->set_level(spdlog::level::from_str(level));
  spdlog::set_default_logger(std::move(logger));
}

void log_event(const StatusEvent& event) {
  current_event = &event;
  const auto level = event.warning ? spdlog::level::warn : spdlog::level::info;
  spdlog::log(level, "{} {}: {}", event.reason, quoted_if_needed(event.object), clean(event.message));
  current_event = nullptr;
}

}  // namespace mooring
