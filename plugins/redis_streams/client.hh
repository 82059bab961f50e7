// One connection to a Redis server: commands out, answers in, nothing in between. client.cc alone knows hiredis.
#pragma once

#include "address.hh"

#include <chrono>
#include <cstdint>
#include <initializer_list>
#include <memory>
#include <string>
#include <string_view>
#include <vector>

namespace redis_streams {

/// Who is told of the answers, in the order of the commands.
class Answers {
 public:
  virtual void added(std::uint32_t count) = 0;       // that many texts in a row: entries were added
  virtual void counted() = 0;                        // a number: a stream was trimmed
  virtual void refused(std::string_view error) = 0;  // an error, without its '-'
 protected:
  ~Answers() = default;
};

/// An answer as a tree. For what is asked now and then; not for what comes once per event.
struct Reply {
  enum class Kind { nil, text, number, list, error };
  Kind kind = Kind::nil;
  std::string text;  // of a text or an error
  std::int64_t number = 0;
  std::vector<Reply> list;

  /// The member behind a name in a list of names and values, as XINFO answers; null when there is none.
  [[nodiscard]] const Reply* find(std::string_view name) const noexcept;
};

/// Who is given an answer piece by piece while it comes in. Nothing is allocated for it; texts live for the call.
class Tokens {
 public:
  /// depth: 0 for the answer itself; index: the place in the list that the piece belongs to.
  virtual void list(int depth, int index, std::size_t members) = 0;
  virtual void text(int depth, int index, std::string_view text) = 0;
  virtual void nil(int depth, int index) = 0;
  virtual void failed(std::string_view error) = 0;
  virtual void finished() = 0;  // the answer is whole
 protected:
  ~Tokens() = default;
};

/// Blocks at first, see go_on_without_blocking(). Not thread-safe.
class Connection {
 public:
  /// Connects, then AUTH and SELECT as the address says. Throws sluice::Away with a text for people.
  Connection(const Address& address, std::chrono::milliseconds timeout, const TlsFiles& tls = {});
  ~Connection();
  Connection(const Connection&) = delete;
  Connection& operator=(const Connection&) = delete;

  /// Sends one command and waits for its answer, or the first part of it. Throws sluice::Away for an error.
  std::string ask(std::initializer_list<std::string_view> words);
  /// The same, with the whole answer, which may be an error. Throws sluice::Away when none came.
  Reply request(std::initializer_list<std::string_view> words);
  /// Sends commands as encode.hh makes them and waits for `count` answers. Throws sluice::Away when they do not come.
  std::vector<Reply> request_all(std::string_view commands, std::size_t count);
  /// How long ask() and request() wait from now on.
  void set_timeout(std::chrono::milliseconds timeout);

  /// From here on append(), write() and read() instead of ask(). Answers are counted, see read(Answers&).
  void go_on_without_blocking();
  /// The same, for read() into `tokens`, which must outlive the connection.
  void go_on_without_blocking(Tokens& tokens);
  /// The same, for read() of whole replies.
  void go_on_with_replies();

  /// Adds commands to what write() sends.
  [[nodiscard]] bool append(std::string_view commands);
  /// Sends what the socket takes now. False: the connection is lost.
  [[nodiscard]] bool write();
  [[nodiscard]] bool wants_write() const noexcept;
  /// Reads once, and hands on every answer that is whole. False: the connection is lost.
  [[nodiscard]] bool read(Answers& answers);
  /// Reads once and hands on what came. False: the connection is lost; `more` says whether anything came.
  [[nodiscard]] bool read_tokens(bool& more);
  /// Reads once and adds the replies that are whole. False: the connection is lost.
  [[nodiscard]] bool read_replies(std::vector<Reply>& replies);

  /// poll() on fd() is not to report less than this many bytes of answers. No effect where the system cannot do it.
  void wake_at(std::uint32_t bytes) noexcept;

  [[nodiscard]] int fd() const noexcept;
  /// Why it was lost.
  [[nodiscard]] std::string error() const;

 private:
  void stop_blocking() noexcept;

  struct State;
  std::unique_ptr<State> state_;
};

/// False: rediss:// cannot be used with the library this was built with.
[[nodiscard]] bool has_tls() noexcept;

}  // namespace redis_streams
