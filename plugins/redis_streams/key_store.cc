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

std::string KeyStore::claim_name(const sluice_str& key) const {
  return prefix_ + "claim:" + std::string(sluice::view(key));
}

void KeyStore::claim(std::span<const sluice_str> keys, std::span<const sluice_str> owners, std::uint8_t* taken,
                     milliseconds ttl, milliseconds timeout) {
  if (keys.empty()) return;
  const std::string ttl_ms = std::to_string(ttl.count());
  std::string commands;
  for (std::size_t i = 0; i < keys.size(); ++i) {
    const std::string name = claim_name(keys[i]), owner(sluice::view(owners[i]));
    commands +=
        ttl.count() == 0 ? command({"SET", name, owner, "NX"}) : command({"SET", name, owner, "NX", "PX", ttl_ms});
    commands += command({"GET", name});
  }
  const std::vector<Reply> replies = ask(commands, 2 * keys.size(), timeout);
  for (std::size_t i = 0; i < keys.size(); ++i) {
    const Reply& owner = replies[2 * i + 1];
    taken[i] = owner.kind != Reply::Kind::nil && owner.text != sluice::view(owners[i]) ? 1 : 0;
  }
}

/// Between GET and DEL a claim may end and become another's, so the server compares.
void KeyStore::release(std::span<const sluice_str> keys, std::span<const sluice_str> owners, milliseconds timeout) {
  if (keys.empty()) return;
  constexpr const char* kScript =
      "if redis.call('GET',KEYS[1])==ARGV[1] then return redis.call('DEL',KEYS[1]) end return 0";
  std::string commands;
  for (std::size_t i = 0; i < keys.size(); ++i) {
    commands += command({"EVAL", kScript, "1", claim_name(keys[i]), std::string(sluice::view(owners[i]))});
  }
  (void)ask(commands, keys.size(), timeout);
}

}  // namespace redis_streams
