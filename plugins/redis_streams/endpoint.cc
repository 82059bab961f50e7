#include "endpoint.hh"

#include "answer.hh"

#include <sluice/cpp/guard.hh>

#include <charconv>

namespace redis_streams {
namespace {

using sluice::Away;

/// What one sentinel says.
Address primary_from(const Address& sentinel, const Endpoint& endpoint, std::chrono::milliseconds timeout) {
  Connection connection(sentinel, timeout, endpoint.tls);
  const Reply reply = connection.request({"SENTINEL", "get-master-addr-by-name", endpoint.sentinel_primary});
  if (reply.kind == Reply::Kind::error) throw Away(sentinel.shown() + ": " + meaning_of(reply.text, "").reason);
  if (reply.list.size() != 2) {
    throw Away(sentinel.shown() + ": this sentinel does not watch '" + endpoint.sentinel_primary +
               "': check sentinel.master");
  }
  Address primary = endpoint.address;
  primary.path.clear();
  primary.host = reply.list[0].text;
  const std::string& port = reply.list[1].text;
  std::from_chars(port.data(), port.data() + port.size(), primary.port);
  return primary;
}

/// For a while after a failover a sentinel may name the old primary, which is a replica by then.
void must_be_primary(Connection& connection, const Address& address) {
  const Reply role = connection.request({"ROLE"});
  if (role.list.empty() || role.list.front().text == "master") return;  // a user without +role is believed
  throw Away(address.shown() + ": the sentinels name it, but it is a " + role.list.front().text +
             " now: a failover is under way");
}

}  // namespace

std::unique_ptr<Connection> connect_to(const Endpoint& endpoint, std::chrono::milliseconds timeout) {
  if (endpoint.sentinels.empty()) return std::make_unique<Connection>(endpoint.address, timeout, endpoint.tls);
  std::string reasons;
  for (const Address& sentinel : endpoint.sentinels) {
    try {
      const Address primary = primary_from(sentinel, endpoint, timeout);
      auto connection = std::make_unique<Connection>(primary, timeout, endpoint.tls);
      must_be_primary(*connection, primary);
      return connection;
    } catch (const Away& away) {
      reasons += (reasons.empty() ? "" : "; ") + std::string(away.what());
    }
  }
  throw Away(reasons);
}

}  // namespace redis_streams
