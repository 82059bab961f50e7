#include "core/interpolate.hh"

#include <algorithm>
#include <array>

namespace sluice {
namespace {

constexpr std::size_t kLongestText = 1024 * 1024;  // bytes of one value after replacing

bool names_a_secret(std::string name) {
  std::ranges::transform(name, name.begin(), [](unsigned char c) { return static_cast<char>(std::toupper(c)); });
  static constexpr std::array kWords{"KEY", "TOKEN", "SECRET", "PASSWORD", "PASSWD", "CREDENTIAL"};
  return std::ranges::any_of(kWords, [&](const char* word) { return name.find(word) != std::string::npos; });
}

bool is_name(std::string_view text) {
  const auto letter = [](char c) { return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || c == '_'; };
  return !text.empty() && letter(text[0]) &&
         std::ranges::all_of(text, [&](char c) { return letter(c) || (c >= '0' && c <= '9'); });
}

/// One value's text, from left to right.
class Replacer {
 public:
  Replacer(Value& value, const Surroundings& surroundings, const std::string& path, Problems& problems)
      : value_(value), surroundings_(surroundings), path_(path), problems_(problems) {}

  void run() {
    const std::string text = value_.string;
    std::string out;
    std::size_t at = 0;
    while (at < text.size()) {
      const std::size_t dollar = text.find('$', at);
      out.append(text, at, dollar == std::string::npos ? std::string::npos : dollar - at);
      if (dollar == std::string::npos) break;
      if (text.compare(dollar, 3, "$${") == 0) {
        out += "${";
        at = dollar + 3;
      } else if (text.compare(dollar, 2, "${") == 0) {
        const std::size_t close = text.find('}', dollar);
        if (close == std::string::npos) {
          return fail("\"${\" is never closed; write $${ for a plain ${");
        }
        value_.interpolated = true;
        value_.whole_reference = dollar == 0 && close + 1 == text.size();
        const auto replaced = reference(text.substr(dollar + 2, close - dollar - 2));
        if (!replaced) return;
        out += *replaced;
        at = close + 1;
      } else {
        out += '$';
        at = dollar + 1;
      }
      if (out.size() > kLongestText) return fail("is longer than 1 MiB after replacing ${...}");
    }
    value_.string = std::move(out);
  }

 private:
  void fail(std::string text) { complain(problems_, value_, path_, std::move(text)); }

  std::optional<std::string> reference(const std::string& inside) {
    if (inside.starts_with("file:")) return from_file(inside.substr(5));
    const std::size_t split = inside.find(":-");
    const std::string name = inside.substr(0, split);
    if (!is_name(name)) {
      fail("${" + inside + "} is not a reference: write ${NAME}, ${NAME:-default} or ${file:/path}");
      return {};
    }
    if (names_a_secret(name)) value_.secret = true;
    auto found = surroundings_.variable(name);
    // As in a shell: with :- an empty variable counts as not set.
    if (split != std::string::npos) return found && !found->empty() ? *found : inside.substr(split + 2);
    if (found) return found;
    if (name == "HOSTNAME") return surroundings_.host_name();
    fail("${" + name + "} is not set in the environment; set it, or give a default: ${" + name + ":-default}");
    return {};
  }

  std::optional<std::string> from_file(const std::string& path) {
    value_.secret = true;
    std::string why;
    auto text = surroundings_.file(path, why);
    if (!text) fail("${file:" + path + "}: " + why);
    return text;
  }

  Value& value_;
  const Surroundings& surroundings_;
  const std::string& path_;
  Problems& problems_;
};

}  // namespace

void interpolate(Value& value, const Surroundings& surroundings, const std::string& path, Problems& problems) {
  switch (value.kind) {
    case Value::Kind::string:
      if (!value.interpolated && value.string.find("${") != std::string::npos) {
        Replacer(value, surroundings, path, problems).run();
        value.interpolated = true;  // also when only $${ was in it, so that a second call leaves it alone
      }
      return;
    case Value::Kind::list:
      for (std::size_t i = 0; i < value.list.size(); ++i) {
        interpolate(value.list[i], surroundings, path + "[" + std::to_string(i) + "]", problems);
      }
      return;
    case Value::Kind::map:
      for (auto& [key, member] : value.map) {
        interpolate(member, surroundings, path.empty() ? key : path + "." + key, problems);
      }
      return;
    default:
      return;
  }
}

}  // namespace sluice
