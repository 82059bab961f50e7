// A small HTTP server for the admin pages: loopback unless told otherwise, on a thread of its own, read-only.
#pragma once

#include "core/ports.hh"
#include "edge/admin_pages.hh"

#include <cstdint>
#include <functional>
#include <memory>
#include <string>
#include <string_view>

namespace sluice {

/// Bounded: kAdminConnections at a time (more wait in the system's backlog), kAdminTimeout for a request and for its
/// answer, small requests only. Serves GET and HEAD.
class AdminServer {
 public:
  /// Called on the server's thread with the request's target; must not throw for what a client sent.
  using Pages = std::function<AdminPage(std::string_view target)>;

  /// Binds and serves until destroyed. `listen` is "address:port": "127.0.0.1:8686", "[::1]:8686", ":8686" (loopback);
  /// port 0 takes a free one. Throws SetupError when the address is wrong or taken.
  AdminServer(const std::string& listen, Pages pages, Log& log);
  ~AdminServer();
  AdminServer(const AdminServer&) = delete;
  AdminServer& operator=(const AdminServer&) = delete;

  [[nodiscard]] std::uint16_t port() const noexcept;
  /// "127.0.0.1:8686"
  [[nodiscard]] std::string address() const;

 private:
  struct Service;
  std::unique_ptr<Service> service_;
};

}  // namespace sluice
