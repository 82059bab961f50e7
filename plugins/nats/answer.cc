#include "answer.hh"

#include <simdjson.h>

#include <array>

namespace nats {
namespace {

struct Known {
  std::int32_t code;
  sluice_status status;
  std::string_view cure;
};

// By err_code. Away: the next event would fare the same, and all of them when the cause is gone.
constexpr std::array kKnown = {
    Known{10023, SLUICE_AWAY,
          "the server is out of memory or storage for JetStream, or the account's limit is reached"},  // insufficient
                                                                                                       // resources
    Known{10028, SLUICE_AWAY, "the server's memory for JetStream is used up"},
    Known{10047, SLUICE_AWAY, "the server's disk for JetStream is used up"},
    Known{10077, SLUICE_AWAY, "the stream is full, and its discard policy is new"},  // maximum bytes/messages exceeded
    Known{10008, SLUICE_AWAY, ""},  // JetStream system temporarily unavailable
    Known{10076, SLUICE_AWAY, "JetStream is not enabled for this server"},
    Known{10039, SLUICE_AWAY, "JetStream is not enabled for this account"},
    Known{10059, SLUICE_AWAY, "the stream does not exist"},
    Known{10109, SLUICE_AWAY, "the stream is sealed: it takes nothing more"},
    Known{10054, SLUICE_REJECTED, "the event is longer than the stream's max_msg_size"},
};

std::string_view text_of(simdjson::dom::element from, const char* name) {
  std::string_view value;
  return from[name].get(value) == simdjson::SUCCESS ? value : std::string_view();
}

}  // namespace

Answer nobody_there(std::string_view subject, bool fixed_subject) {
  // What is wrong with one event's own subject must not hold up the others.
  return {fixed_subject ? SLUICE_AWAY : SLUICE_AGAIN, false, 503,
          "no stream takes subject '" + std::string(subject) +
              "' (or JetStream is not enabled): give the stream that subject (nats stream edit), or make one (nats "
              "stream add)"};
}

Answer read_answer(std::string_view body, std::string_view subject) {
  Answer answer;
  if (body.starts_with("{") && body.find("\"error\"") == body.npos) {
    answer.duplicate = body.find("\"duplicate\":") != body.npos;
    return answer;
  }
  simdjson::dom::parser parser;
  simdjson::dom::element root, error;
  if (parser.parse(body.data(), body.size()).get(root) != simdjson::SUCCESS) {
    return {SLUICE_AGAIN, false, 0, "an answer that no stream gives: " + std::string(body.substr(0, 200))};
  }
  if (root["error"].get(error) != simdjson::SUCCESS) return answer;  // a stream whose name is "error"
  std::int64_t code = 0;
  if (error["err_code"].get(code) != simdjson::SUCCESS && error["code"].get(code) != simdjson::SUCCESS) code = 0;
  answer = {SLUICE_AGAIN, false, static_cast<std::int32_t>(code), std::string(text_of(error, "description"))};
  answer.reason += " (subject '" + std::string(subject) + "')";
  for (const Known& known : kKnown) {
    if (known.code != code) continue;
    answer.status = known.status;
    if (!known.cure.empty()) answer.reason += ": " + std::string(known.cure);
  }
  return answer;
}

bool read_consumer_state(std::string_view body, ConsumerState& out) {
  simdjson::dom::parser parser;
  simdjson::dom::element root;
  if (parser.parse(body.data(), body.size()).get(root) != simdjson::SUCCESS) return false;
  return root["num_pending"].get(out.pending) == simdjson::SUCCESS &&
         root["num_ack_pending"].get(out.ack_pending) == simdjson::SUCCESS &&
         root["num_redelivered"].get(out.redelivered) == simdjson::SUCCESS;
}

}  // namespace nats
