#include "key_store.hh"

#include "answer.hh"
#include "encode.hh"
#include "endpoint.hh"

#include <sluice/cpp/guard.hh>
#include <sluice/cpp/text.hh>

namespace redis_streams {

using sluice::Away;
using std::chrono::milliseconds;

std::vector<Reply> KeyStore::ask(const std::string& commands, std::size_t count, milliseconds timeout) {
  if (connection_ == nullptr) connection_ = connect_to(endpoint_, timeout);
  connection_->set_timeout(timeout);
  try {
    std::vector<Reply> replies = connection_->request_all(commands, count);
    for (const Reply& reply : replies) {
      if (reply.kind == Reply::Kind::error) throw Away(meaning_of(reply.text, "").reason);
    }
    return replies;
  } catch (const Away& away) {
    connection_.reset();  // answers that may still come belong to no question
    throw Away(endpoint_.shown() + ": " + away.what());
  }
}

void KeyStore::lookup(std::span<const sluice_str> keys, std::uint8_t* present, milliseconds timeout) {
  if (keys.empty()) return;
  std::string commands;
  for (const sluice_str& key : keys) commands += command({"EXISTS", prefix_ + std::string(sluice::view(key))});
  const std::vector<Reply> replies = ask(commands, keys.size(), timeout);
  for (std::size_t i = 0; i < keys.size(); ++i) present[i] = replies[i].number != 0 ? 1 : 0;
}

void KeyStore::record(std::span<const sluice_str> keys, milliseconds ttl, milliseconds timeout) {
  if (keys.empty()) return;
  const std::string ttl_ms = std::to_string(ttl.count());
  std::string commands;
  for (const sluice_str& key : keys) {
    const std::string name = prefix_ + std::string(sluice::view(key));
    commands += ttl.count() == 0 ? command({"SET", name, "1"}) : command({"SET", name, "1", "PX", ttl_ms});
  }
  (void)ask(commands, keys.size(), timeout);
}

}  // namespace redis_streams
