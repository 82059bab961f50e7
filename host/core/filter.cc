#include "core/filter.hh"

#include "core/attribute.hh"
#include "core/cesql.hh"
#include "core/json_cursor.hh"
#include "core/json_tokens.hh"

#include <sluice/cpp/event_view.hh>

#include <algorithm>
#include <utility>

namespace sluice {

struct Filter::Term {
  enum class Kind : std::uint8_t { exact, prefix, suffix, types, all, any, negation, sql };
  struct Entry {
    Known known = Known::none;  // found once: most filters ask for a core attribute
    std::string name, value;
  };

  Kind kind = Kind::all;
  std::vector<Entry> entries;      // exact, prefix, suffix
  std::vector<std::string> globs;  // types
  std::vector<Term> terms;         // all, any, negation (one)
  std::optional<cesql::Expression> sql;
};

namespace {

using Term = Filter::Term;
constexpr std::uint32_t kDeepestFilter = 128;  // filters inside each other: matching and parsing recurse
constexpr std::uint32_t kDeepestJson = 2 * kDeepestFilter + 2;
constexpr std::size_t kLargestFilter = 1024 * 1024;

/// Where and why; thrown inside this file only.
struct Refused {
  std::string why;
};

std::string element(std::size_t index) { return std::string("[").append(std::to_string(index)).append("]"); }

class Parser {
 public:
  explicit Parser(std::string_view json) : text_(json) {
    if (json.size() > kLargestFilter) throw Refused{"a filter may have at most 1 MiB"};
    text_.append(SLUICE_PADDING, ' ');
    const std::string_view text = std::string_view(text_).substr(0, json.size());
    if (tokens_.split(text) != JsonTokens::Failure::none) throw Refused{"the filter is not JSON"};
    cursor_.emplace(text, tokens_.offsets(), kDeepestJson);
    if (!cursor_->is_closed()) throw Refused{"a filter is a JSON object, or an array of them"};
  }

  Term parse() {
    Term root;
    if (cursor_->peek() == '{') {
      root = filter(0);
    } else {
      root.kind = Term::Kind::all;
      each_element([&](std::size_t i) { root.terms.push_back(nested(element(i), 0)); });
    }
    if (!cursor_->ended()) syntax();
    return root;
  }

 private:
  [[noreturn]] void refuse(const std::string& why) const { throw Refused{path_.empty() ? why : path_ + ": " + why}; }
  [[noreturn]] void syntax() const {
    refuse("the filter is not JSON: unexpected at or before byte " + std::to_string(cursor_->offset()));
  }
  void expect(char wanted) {
    if (cursor_->ended() || !cursor_->take(wanted)) syntax();
  }
  [[nodiscard]] bool at(char wanted) const { return !cursor_->ended() && cursor_->peek() == wanted; }

  std::string string(const char* what) {
    if (!at('"')) refuse(std::string(what) + " must be a string");
    JsonString found;
    if (!cursor_->take_string(found)) syntax();
    std::string text(found.raw);
    if (found.escaped) {
      const std::size_t length = unescape_json(found.raw, text.data());
      if (length == found.raw.npos) refuse(std::string(what) + " holds half a surrogate pair");
      text.resize(length);
    }
    return text;
  }

  template <class Each>
  std::size_t each_element(Each&& each) {
    std::size_t count = 0;
    expect('[');
    if (!at(']')) {
      do {
        each(count++);
      } while (at(',') && cursor_->take(','));
    }
    expect(']');
    return count;
  }

  Term nested(const std::string& step, std::uint32_t depth) {
    const std::size_t length = path_.size();
    path_ += step;
    Term term = filter(depth);
    path_.resize(length);
    return term;
  }

  Term filter(std::uint32_t depth) {
    if (depth >= kDeepestFilter) refuse("filters may be nested " + std::to_string(kDeepestFilter) + " deep at most");
    if (!at('{')) refuse("a filter is an object with one dialect as its member");
    expect('{');
    if (at('}')) refuse("the filter names no dialect");
    const std::string dialect = string("a dialect's name");
    expect(':');
    const std::size_t length = path_.size();
    path_ += (path_.empty() ? "" : ".") + dialect;
    Term term = of_dialect(dialect, depth);
    path_.resize(length);
    if (at(',')) refuse("a filter has one dialect; several filters go into an array, or into \"all\"");
    expect('}');
    return term;
  }

  Term of_dialect(const std::string& dialect, std::uint32_t depth) {
    Term term;
    if (dialect == "exact" || dialect == "prefix" || dialect == "suffix") {
      term.kind = dialect == "exact"    ? Term::Kind::exact
                  : dialect == "prefix" ? Term::Kind::prefix
                                        : Term::Kind::suffix;
      read_entries(term);
    } else if (dialect == "all" || dialect == "any") {
      term.kind = dialect == "all" ? Term::Kind::all : Term::Kind::any;
      if (!at('[')) refuse("must be an array of filters");
      const std::size_t count =
          each_element([&](std::size_t i) { term.terms.push_back(nested(element(i), depth + 1)); });
      if (count == 0) refuse("the array is empty: at least one filter is needed");
    } else if (dialect == "not") {
      term.kind = Term::Kind::negation;
      term.terms.push_back(nested("", depth + 1));
    } else if (dialect == "types") {
      term.kind = Term::Kind::types;
      if (!at('[')) refuse("must be an array of type patterns like [\"validation.*\"]");
      const std::size_t count = each_element([&](std::size_t) {
        term.globs.push_back(string("a type pattern"));
        if (term.globs.back().empty()) refuse("a type pattern is empty");
      });
      if (count == 0) refuse("the array is empty: at least one type pattern is needed");
    } else if (dialect == "sql") {
      term.kind = Term::Kind::sql;
      read_sql(term);
    } else {
      refuse("unknown dialect; known are exact, prefix, suffix, all, any, not, sql and types");
    }
    return term;
  }

  void read_sql(Term& term) {
    const std::string expression = string("the expression");
    std::string why;
    term.sql = cesql::Expression::parse(expression, why);
    if (!term.sql) refuse(why);
    if (!term.sql->objection().empty()) refuse(term.sql->objection());
  }

  void read_entries(Term& term) {
    if (!at('{')) refuse("must be an object of attribute names and strings");
    expect('{');
    if (at('}')) refuse("the object is empty: at least one attribute is needed");
    do {
      Term::Entry entry;
      entry.name = string("an attribute's name");
      entry.known = known_name(entry.name);
      expect(':');
      if (!is_attribute_name(entry.name)) refuse("\"" + entry.name + "\" is not an attribute name (a-z and 0-9)");
      if (entry.known == Known::data) refuse("data cannot be matched, only attributes");
      for (const Term::Entry& earlier : term.entries) {
        if (earlier.name == entry.name) refuse("\"" + entry.name + "\" stands there twice");
      }
      const std::string what = "the value for \"" + entry.name + "\"";
      entry.value = string(what.c_str());
      if (entry.value.empty()) refuse(what + " is empty");
      term.entries.push_back(std::move(entry));
    } while (at(',') && cursor_->take(','));
    expect('}');
  }

  std::string text_;
  JsonTokens tokens_;
  std::optional<JsonCursor> cursor_;
  std::string path_;
};

std::optional<std::string_view> value_of(const EventView& event, Known known, std::string_view name) noexcept {
  const auto optional = [](std::string_view text) {
    return text.empty() ? std::nullopt : std::optional<std::string_view>(text);
  };
  switch (known) {
    case Known::id:
      return event.id();
    case Known::source:
      return event.source();
    case Known::type:
      return event.type();
    case Known::specversion:
      return "1.0";
    case Known::subject:
      return optional(event.subject());
    case Known::time:
      return optional(event.time());
    case Known::datacontenttype:
      return optional(event.datacontenttype());
    case Known::dataschema:
      return optional(event.dataschema());
    case Known::data:
    case Known::data_base64:
      return std::nullopt;
    case Known::none:
      return event.extension(name);
  }
  return std::nullopt;
}

constexpr std::size_t next_character(std::string_view text, std::size_t at) noexcept {
  do {
    ++at;
  } while (at < text.size() && (static_cast<unsigned char>(text[at]) & 0xC0) == 0x80);
  return at;
}

bool holds(const Term& term, const EventView& event) noexcept {
  const auto each_entry = [&](auto&& compare) {
    return std::all_of(term.entries.begin(), term.entries.end(), [&](const Term::Entry& entry) {
      const auto value = value_of(event, entry.known, entry.name);
      return value && compare(*value, std::string_view(entry.value));
    });
  };
  const auto holds_here = [&](const Term& inner) { return holds(inner, event); };
  switch (term.kind) {
    case Term::Kind::exact:
      return each_entry([](std::string_view a, std::string_view b) { return a == b; });
    case Term::Kind::prefix:
      return each_entry([](std::string_view a, std::string_view b) { return a.starts_with(b); });
    case Term::Kind::suffix:
      return each_entry([](std::string_view a, std::string_view b) { return a.ends_with(b); });
    case Term::Kind::types:
      return std::any_of(term.globs.begin(), term.globs.end(),
                         [&](const std::string& glob) { return type_matches(glob, event.type()); });
    case Term::Kind::all:
      return std::all_of(term.terms.begin(), term.terms.end(), holds_here);
    case Term::Kind::any:
      return std::any_of(term.terms.begin(), term.terms.end(), holds_here);
    case Term::Kind::negation:
      return !holds_here(term.terms.front());
    case Term::Kind::sql:
      return term.sql->matches(event.raw());
  }
  return false;
}

}  // namespace

/// Linear but for the last star: a mismatch lets the latest star take one character more.
bool type_matches(std::string_view pattern, std::string_view text) noexcept {
  std::size_t p = 0, t = 0, star = pattern.npos, resume = 0;
  while (t < text.size()) {
    if (p < pattern.size() && pattern[p] == '*') {
      star = p++;
      resume = t;
    } else if (p < pattern.size() && pattern[p] == '?') {
      ++p;
      t = next_character(text, t);
    } else if (p < pattern.size() && pattern[p] == text[t]) {
      ++p, ++t;
    } else if (star != pattern.npos) {
      p = star + 1;
      t = resume = next_character(text, resume);
    } else {
      return false;
    }
  }
  while (p < pattern.size() && pattern[p] == '*') ++p;
  return p == pattern.size();
}

std::optional<Filter> Filter::parse(std::string_view json, std::string& why) {
  try {
    Filter filter;
    filter.root_ = std::make_shared<const Term>(Parser(json).parse());
    return filter;
  } catch (const Refused& refused) {
    why = refused.why;
    return std::nullopt;
  }
}

bool Filter::matches(const sluice_event& event) const noexcept {
  return root_ == nullptr || holds(*root_, EventView(event));
}

std::optional<std::string_view> attribute_of(const sluice_event& event, std::string_view name) noexcept {
  return value_of(EventView(event), known_name(name), name);
}

}  // namespace sluice
