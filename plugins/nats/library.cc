#include "library.hh"

#include <sluice/cpp/guard.hh>

#include <vector>

namespace nats {
namespace {

using sluice::Away;
using namespace std::chrono_literals;
using std::chrono::milliseconds;

constexpr milliseconds kPingEvery = 20s;
constexpr int kPingsUnansweredMax = 2;

}  // namespace

std::string words(natsStatus status) {
  natsStatus last = NATS_OK;
  std::string detail(text(nats_GetLastError(&last)));
  if (detail.starts_with('(')) detail.erase(0, detail.find(": ") + 2);  // a place in the library's source
  std::string out(text(natsStatus_GetText(status)));
  if (last == status && !detail.empty() && detail != out) out += ": " + detail;
  return out;
}

void set(natsStatus status, const char* what) {
  if (status != NATS_OK) throw Away(std::string(what) + ": " + words(status));
}

OptionsHandle make_options(const Address& address, milliseconds timeout) {
  natsOptions* raw = nullptr;
  set(natsOptions_Create(&raw), "options");
  OptionsHandle options(raw);
  std::vector<const char*> servers;
  for (const std::string& server : address.servers) servers.push_back(server.c_str());
  set(natsOptions_SetServers(raw, servers.data(), static_cast<int>(servers.size())), "servers");
  set(natsOptions_SetTimeout(raw, timeout.count()), "timeout");
  set(natsOptions_SetName(raw, address.name.c_str()), "name");
  set(natsOptions_SetAllowReconnect(raw, false), "reconnect");
  set(natsOptions_SetPingInterval(raw, kPingEvery.count()), "ping");
  set(natsOptions_SetMaxPingsOut(raw, kPingsUnansweredMax), "ping");
  if (!address.user.empty()) set(natsOptions_SetUserInfo(raw, address.user.c_str(), address.password.c_str()), "user");
  if (!address.token.empty()) set(natsOptions_SetToken(raw, address.token.c_str()), "token");
  if (!address.credentials_file.empty()) {
    set(natsOptions_SetUserCredentialsFromFiles(raw, address.credentials_file.c_str(), nullptr), "credentials_file");
  }
  if (!address.tls) return options;
  set(natsOptions_SetSecure(raw, true), "tls");
  if (!address.ca.empty()) set(natsOptions_LoadCATrustedCertificates(raw, address.ca.c_str()), "tls.ca_file");
  if (!address.certificate.empty()) {
    set(natsOptions_LoadCertificatesChain(raw, address.certificate.c_str(), address.key.c_str()), "tls.cert_file");
  }
  if (!address.server_name.empty()) {
    set(natsOptions_SetExpectedHostname(raw, address.server_name.c_str()), "tls.server_name");
  }
  return options;
}

void cannot_connect(const Address& address, natsStatus status) {
  std::string why = address.shown() + ": " + words(status);
  if (status == NATS_CONNECTION_AUTH_FAILED) why += ": check user and password, token or credentials_file";
  if (status == NATS_SECURE_CONNECTION_REQUIRED) why += ": the server wants TLS: set tls.enabled: true";
  if (status == NATS_SECURE_CONNECTION_WANTED) why += ": the server has no TLS: set tls.enabled: false";
  if (status == NATS_SSL_ERROR) why += ": check tls.ca_file, the server's certificate and the name it is reached by";
  throw Away(why);
}

}  // namespace nats
