#include "edge/emit.hh"

#include "core/limits.hh"
#include "core/setup_error.hh"
#include "core/timestamp.hh"
#include "core/uuid.hh"
#include "edge/http_post.hh"
#include "edge/json_text.hh"
#include "edge/wall_clock.hh"

#include <fstream>
#include <istream>
#include <ostream>
#include <random>

namespace sluice {
namespace {

std::string read_all(std::istream& in, const std::string& name) {
  std::string all(limits::kEventBytes + 1, '\0');
  in.read(all.data(), static_cast<std::streamsize>(all.size()));
  all.resize(static_cast<std::size_t>(in.gcount()));
  if (in.bad()) throw SetupError("--data " + name + ": cannot be read", kUsage);
  if (all.size() > limits::kEventBytes) {
    throw SetupError("--data " + name + ": more than " + std::to_string(limits::kEventBytes) + " bytes", kUsage);
  }
  return all;
}

std::optional<std::string> read_data(const EmitRequest& request, std::istream& in) {
  if (request.data_json) return request.data_json;
  if (!request.data_file) return std::nullopt;
  if (*request.data_file == "-") return read_all(in, "-");
  std::ifstream file(*request.data_file, std::ios::binary);
  if (!file) throw SetupError("--data " + *request.data_file + ": cannot be opened", kUsage);
  return read_all(file, *request.data_file);
}

EmitContext context_of(const EmitRequest& request, std::istream& in) {
  const std::int64_t unix_ns = WallClock().unix_ns();
  std::random_device device;
  const std::uint64_t random = (std::uint64_t{device()} << 32) | device();
  const UuidText id = time_ordered_uuid(unix_ns, random);
  char time[24];
  write_timestamp(unix_ns, time);
  return {std::string(id.data(), id.size()), std::string(time, sizeof time), read_data(request, in)};
}

HttpPost post_of(const EmitRequest& request, std::string_view event) {
  HttpPost post{request.to,
                {"Content-Type: application/cloudevents+json; charset=utf-8"},
                event,
                std::chrono::seconds(request.timeout_seconds)};
  if (!request.token.empty()) {
    if (request.token.find_first_of("\r\n") != std::string::npos) {
      throw SetupError("--token: has a line end in it", kUsage);
    }
    post.headers.push_back("Authorization: Bearer " + request.token);
  }
  return post;
}

std::string one_line(std::string_view text) {
  while (!text.empty() && (text.back() == '\n' || text.back() == '\r')) text.remove_suffix(1);
  std::string out;
  append_plain(out, text, 2048);
  return out;
}

}  // namespace

int emit(const EmitRequest& request, std::istream& in, std::ostream& out, std::ostream& err) {
  const EmitContext context = context_of(request, in);
  const std::string event = build_event(request, context);
  if (request.print_only) {
    out << event << '\n';
    return kClean;
  }
  const HttpAnswer answer = http_post(post_of(request, event));
  if (answer.kind == HttpAnswer::Kind::wrong_url) throw SetupError("--to " + request.to + ": " + answer.error, kUsage);
  out << "id " << one_line(request.id.empty() ? context.id : request.id) << '\n';
  if (answer.kind == HttpAnswer::Kind::unreachable) {
    err << "sluice: " << request.to << ": " << one_line(answer.error) << '\n';
    return kUndelivered;
  }
  const bool taken = answer.status >= 200 && answer.status < 300;
  std::string line = "answer " + std::to_string(answer.status);
  if (!answer.body.empty()) line += " " + one_line(answer.body);
  (taken ? out : err) << line << '\n';
  return taken ? kClean : kUndelivered;
}

}  // namespace sluice
