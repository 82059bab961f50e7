// One request at a time over a kept connection: an HTTP POST, or a mail by SMTP. Blocks, up to its timeout. Its .cc is
// the only file that knows libcurl. What it says of an error never holds the URL: a webhook's address is its password.
#pragma once

#include <chrono>
#include <cstdint>
#include <memory>
#include <string>
#include <vector>

namespace alerting {

struct TransferOptions {
  std::chrono::milliseconds timeout{10'000};
  std::string ca_file;
  bool verify = true;
};

struct HttpAnswer {
  int status = 0;  // 0: there was none, see error
  std::string body;
  std::int64_t retry_after_ms = 0;
  std::string error;
  bool timed_out = false;
};

struct SmtpRequest {
  std::string url;          // smtp://host:port or smtps://host:port
  bool require_tls = true;  // STARTTLS, or no mail
  bool try_tls = true;
  std::string user, password, auth;  // auth: empty, or one of PLAIN LOGIN CRAM-MD5
  std::string helo;
  std::string from, to;              // bare addresses
  std::vector<std::string> headers;  // "Name: value", without line ends
  std::string text, html;            // the two alternatives
};
struct SmtpAnswer {
  bool sent = false;
  int code = 0;  // of the reply that refused; 0: there was none
  std::string error, reply;
  bool timed_out = false, bad_login = false, bad_tls = false;
};

class Transfer {
 public:
  explicit Transfer(TransferOptions options);
  ~Transfer();
  Transfer(const Transfer&) = delete;
  Transfer& operator=(const Transfer&) = delete;

  [[nodiscard]] HttpAnswer post(const std::string& url, const std::vector<std::string>& headers,
                                const std::string& body);
  [[nodiscard]] SmtpAnswer mail(const SmtpRequest& request);
  /// From any thread: ends what is under way.
  void cancel() noexcept;

 private:
  struct Curl;
  std::unique_ptr<Curl> curl_;
};

}  // namespace alerting
