#include "jetstream.hh"

#include "client.hh"
#include "desk.hh"
#include "subject.hh"

#include <sluice/cpp/guard.hh>

#include <algorithm>

namespace nats {

using sluice::Away;

std::string ensure_stream(const Address& address, const StreamOptions& wanted, milliseconds timeout) {
  Desk desk(address, timeout);
  const auto subjects = desk.subjects_of(wanted.name);
  if (!subjects) {
    if (!wanted.create) {
      throw Away("stream '" + wanted.name + "' does not exist: make it (nats stream add " + wanted.name +
                 "), or set stream_config.create: true");
    }
    if (desk.make_stream(wanted)) return "stream '" + wanted.name + "' made";
    return "stream '" + wanted.name + "' was not made: another stream has the subject already, and events go there";
  }
  const auto takes = [&](const std::string& subject) { return covers(subject, wanted.must_take); };
  if (!wanted.must_take.empty() && std::none_of(subjects->begin(), subjects->end(), takes)) {
    throw Away("stream '" + wanted.name + "' does not take subject '" + wanted.must_take +
               "': add it to the stream's subjects, or name the stream that has it");
  }
  return {};
}

ConsumerFacts ensure_consumer(const Address& address, const ConsumerOptions& wanted, milliseconds timeout) {
  Desk desk(address, timeout);
  if (!desk.subjects_of(wanted.stream)) {
    throw Away("stream '" + wanted.stream + "' does not exist: whoever publishes makes it, or: nats stream add " +
               wanted.stream);
  }
  ConsumerFacts facts;
  auto found = desk.find_consumer(wanted.stream, wanted.durable);
  if (!found && !wanted.create) {
    throw Away("stream '" + wanted.stream + "' has no consumer '" + wanted.durable + "': make it (nats consumer add " +
               wanted.stream + " " + wanted.durable + " --pull), or set create: true");
  }
  if (!found) {
    found = desk.make_consumer(wanted);
    facts.note = "consumer '" + wanted.durable + "' made on stream '" + wanted.stream + "'";
  } else if (!wanted.filter.empty() && found->filter != wanted.filter) {
    facts.note = "consumer '" + wanted.durable + "' is there already, with the filter '" + found->filter +
                 "': that is what counts";
  }
  if (!found->can_be_pulled) {
    throw Away("consumer '" + wanted.durable +
               "' is no pull consumer with explicit acknowledgement: give durable_name another name, or remove it "
               "(nats consumer rm " +
               wanted.stream + " " + wanted.durable + ")");
  }
  facts.ack_wait = found->ack_wait;
  facts.pending = found->pending;
  facts.ack_pending = found->ack_pending;
  facts.last_sequence = desk.last_sequence(wanted.stream);
  return facts;
}

}  // namespace nats
