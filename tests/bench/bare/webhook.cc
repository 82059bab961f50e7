// bare_webhook FILE URL CONNECTIONS [BATCH] — one POST per event, or per BATCH events as a JSON array, by libcurl's
// multi interface over kept connections; every answer must be 204.
#include "measured.hh"

#include <curl/curl.h>

#include <string>
#include <vector>

namespace {

std::size_t swallow(char*, std::size_t size, std::size_t count, void*) { return size * count; }

struct Request {
  CURL* handle = nullptr;
  std::string body;
  std::uint64_t events = 0;
};

class Sender {
 public:
  Sender(const char* path, const char* url, std::size_t connections, std::uint64_t batch)
      : lines_(path), batch_(batch), multi_(curl_multi_init()), requests_(connections) {
    curl_multi_setopt(multi_, CURLMOPT_MAXCONNECTS, static_cast<long>(connections));
    headers_ = curl_slist_append(nullptr, batch > 1 ? "Content-Type: application/cloudevents-batch+json; charset=utf-8"
                                                    : "Content-Type: application/cloudevents+json; charset=utf-8");
    headers_ = curl_slist_append(headers_, "Expect:");
    for (Request& request : requests_) {
      request.handle = curl_easy_init();
      curl_easy_setopt(request.handle, CURLOPT_URL, url);
      curl_easy_setopt(request.handle, CURLOPT_HTTPHEADER, headers_);
      curl_easy_setopt(request.handle, CURLOPT_WRITEFUNCTION, swallow);
      curl_easy_setopt(request.handle, CURLOPT_PRIVATE, &request);
      curl_easy_setopt(request.handle, CURLOPT_NOSIGNAL, 1L);
      curl_easy_setopt(request.handle, CURLOPT_POST, 1L);
    }
  }

  /// Returns how many events were answered with 204.
  std::uint64_t run() {
    for (Request& request : requests_) send(request);
    while (live_ > 0) {
      int running = 0;
      curl_multi_perform(multi_, &running);
      if (!collect() && live_ > 0) curl_multi_poll(multi_, nullptr, 0, 1000, nullptr);
    }
    return delivered_;
  }

  [[nodiscard]] std::uint64_t bytes() const { return lines_.bytes(); }

 private:
  bool fill(Request& request) {
    std::string_view line;
    request.events = 0;
    request.body.clear();
    if (batch_ > 1) request.body += '[';
    while (request.events < batch_ && lines_.next(line)) {
      if (request.events++ > 0) request.body += ',';
      request.body += line;
    }
    if (batch_ > 1) request.body += ']';
    curl_easy_setopt(request.handle, CURLOPT_POSTFIELDS, request.body.data());
    curl_easy_setopt(request.handle, CURLOPT_POSTFIELDSIZE, static_cast<long>(request.body.size()));
    return request.events > 0;
  }

  void send(Request& request) {
    if (!fill(request)) return;
    curl_multi_add_handle(multi_, request.handle);
    ++live_;
  }

  bool collect() {
    bool any = false;
    int left = 0;
    while (CURLMsg* message = curl_multi_info_read(multi_, &left)) {
      if (message->msg != CURLMSG_DONE) continue;
      any = true;
      CURL* handle = message->easy_handle;
      const CURLcode result = message->data.result;
      long status = 0;
      Request* request = nullptr;
      curl_easy_getinfo(handle, CURLINFO_RESPONSE_CODE, &status);
      curl_easy_getinfo(handle, CURLINFO_PRIVATE, &request);
      if (result != CURLE_OK || status != 204) {
        std::fprintf(stderr, "webhook: %s, status %ld\n", curl_easy_strerror(result), status);
        std::exit(1);
      }
      delivered_ += request->events;
      curl_multi_remove_handle(multi_, handle);
      --live_;
      send(*request);
    }
    return any;
  }

  bare::Lines lines_;
  std::uint64_t batch_, delivered_ = 0;
  CURLM* multi_;
  curl_slist* headers_ = nullptr;
  std::vector<Request> requests_;
  std::size_t live_ = 0;
};

}  // namespace

int main(int count, char** arguments) {
  const std::uint64_t batch = count > 4 ? std::strtoull(arguments[4], nullptr, 10) : 1;
  curl_global_init(CURL_GLOBAL_ALL);
  const bare::Stopwatch watch;
  Sender sender(arguments[1], arguments[2], std::strtoull(arguments[3], nullptr, 10), batch);
  const std::uint64_t delivered = sender.run();
  watch.report(delivered, sender.bytes());
  return 0;
}
