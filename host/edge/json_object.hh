// Writes JSON objects and lists member by member, for the pages that the host answers with.
#pragma once

#include "edge/json_text.hh"

#include <concepts>
#include <string>
#include <string_view>

namespace sluice {

class JsonText {
 public:
  /// Opens a value's brackets and closes them with the scope.
  class Scope {
   public:
    Scope(JsonText& json, char close) : json_(json), close_(close) {}
    Scope(const Scope&) = delete;
    Scope& operator=(const Scope&) = delete;
    ~Scope() {
      json_.text_ += close_;
      json_.first_ = false;
    }

   private:
    JsonText& json_;
    char close_;
  };

  [[nodiscard]] Scope object(std::string_view key = {}) { return open(key, '{', '}'); }
  [[nodiscard]] Scope list(std::string_view key = {}) { return open(key, '[', ']'); }

  void member(std::string_view key, std::string_view text) {
    begin(key);
    append_safe_json_string(text_, text);
  }
  void member(std::string_view key, const char* text) { member(key, std::string_view(text)); }
  void member(std::string_view key, bool flag) {
    begin(key);
    text_ += flag ? "true" : "false";
  }
  template <std::integral Number>
  void member(std::string_view key, Number number) {
    begin(key);
    text_ += std::to_string(number);
  }
  void member(std::string_view key, double number) {
    begin(key);
    append_json_number(text_, number);
  }
  /// A member whose value is JSON already.
  void raw(std::string_view key, std::string_view json) {
    begin(key);
    text_ += json;
  }

  [[nodiscard]] const std::string& text() const noexcept { return text_; }

 private:
  Scope open(std::string_view key, char opening, char closing) {
    begin(key);
    text_ += opening;
    first_ = true;
    return {*this, closing};
  }
  /// Elements of lists have no key.
  void begin(std::string_view key) {
    if (!first_) text_ += ',';
    first_ = false;
    if (key.data() == nullptr) return;
    append_safe_json_string(text_, key);
    text_ += ':';
  }

  std::string text_;
  bool first_ = true;
};

}  // namespace sluice
