#include "refusals.hh"

#include "template.hh"
#include "webhook.hh"

#include <sluice/cpp/encode.hh>

#include <cerrno>
#include <filesystem>
#include <fstream>
#include <system_error>

namespace alerting {

namespace {
constexpr std::uintmax_t kBytesMax = 1024 * 1024;  // then it becomes `….1`, in place of the one before
}  // namespace

void Refusals::add(std::int64_t now_ms, const Message& message, const Answer& answer) const {
  if (path_.empty()) return;
  std::string line = "{\"refused\":";
  sluice::append_json_string(line, date_text(now_ms, "%Y-%m-%dT%H:%M:%SZ"));
  line += ",\"answer\":";
  sluice::append_json_string(line, answer.text);
  line += ",\"reason\":";
  sluice::append_json_string(line, answer.reason);
  line += ",\"message\":" + Webhook::message_as_json(message) + "}\n";
  std::error_code none;
  if (const auto size = std::filesystem::file_size(path_, none); !none && size + line.size() > kBytesMax) {
    std::filesystem::rename(path_, path_ + ".1", none);
  }
  std::ofstream out(path_, std::ios::app | std::ios::binary);
  out << line << std::flush;
  if (!out) throw std::system_error(errno, std::generic_category(), path_);
}

}  // namespace alerting
