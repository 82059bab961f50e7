// A text of the configuration that is filled in per event: the topic, subject or routing key that it goes to.
//
//   "nlp-{type}"                 attributes of the event by their bare names, extensions included
//   "jobs.{jobid:-unknown}"      what stands there when the event has no such attribute (it may be empty)
//   "{{literal braces}}"         a brace that is not a placeholder is written twice
//
// Read once when the node is made; filling in allocates nothing but what the output needs.
#pragma once

#include "event_view.hh"
#include "guard.hh"

#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

namespace sluice {

class Template {
 public:
  Template() = default;
  /// Throws BadConfig, with `key` (the configuration's key) in front.
  explicit Template(std::string_view text, std::string_view key = "template") : key_(key) {
    std::string literal;
    for (std::size_t i = 0; i < text.size(); ++i) {
      const bool doubled = i + 1 < text.size() && text[i + 1] == text[i];
      if ((text[i] == '{' || text[i] == '}') && doubled) {
        literal += text[i++];
      } else if (text[i] == '{') {
        const std::size_t end = text.find('}', i);
        if (end == std::string_view::npos) refuse(text, "a placeholder is not closed; a literal { is written {{");
        keep(literal);
        parts_.push_back(placeholder(text, text.substr(i + 1, end - i - 1)));
        i = end;
      } else if (text[i] == '}') {
        refuse(text, "a } closes nothing; a literal } is written }}");
      } else {
        literal += text[i];
      }
    }
    keep(literal);
  }

  /// True when the text is the same for every event: see fixed_text().
  [[nodiscard]] bool is_fixed() const noexcept {
    return parts_.empty() || (parts_.size() == 1 && parts_.front().attribute == Attribute::none);
  }
  [[nodiscard]] std::string_view fixed_text() const noexcept {
    return parts_.empty() ? std::string_view() : std::string_view(parts_.front().text);
  }
  /// Appends the text for this event. False, and nothing is appended, when it lacks an attribute that has no default:
  /// such an event can go nowhere, see missing().
  [[nodiscard]] bool append(const EventView& event, std::string& out) const {
    const std::size_t before = out.size();
    for (const Part& part : parts_) {
      const std::string_view value = value_of(part, event);
      if (value.empty() && part.attribute != Attribute::none && !part.has_default) {
        out.resize(before);
        return false;
      }
      out += value.empty() && part.attribute != Attribute::none ? std::string_view(part.otherwise) : value;
    }
    return true;
  }
  /// The sentence for people when append() said no.
  [[nodiscard]] std::string missing(const EventView& event) const {
    for (const Part& part : parts_) {
      if (part.attribute == Attribute::none || part.has_default || !value_of(part, event).empty()) continue;
      return "the event has no " + part.text + ", which " + key_ + " asks for; {" + part.text + ":-DEFAULT} gives one";
    }
    return {};
  }

 private:
  enum class Attribute : std::uint8_t { none, id, source, type, subject, time, datacontenttype, dataschema, extension };
  struct Part {
    Attribute attribute = Attribute::none;
    bool has_default = false;
    std::string text;       // the literal, or the attribute's name
    std::string otherwise;  // when the event has no such attribute
  };

  [[noreturn]] void refuse(std::string_view text, std::string_view why) const {
    throw BadConfig(key_ + ": \"" + std::string(text) + "\": " + std::string(why));
  }
  void keep(std::string& literal) {
    if (!literal.empty()) parts_.push_back({Attribute::none, false, literal, {}});
    literal.clear();
  }
  [[nodiscard]] Part placeholder(std::string_view text, std::string_view inside) const {
    Part part;
    const std::size_t dash = inside.find(":-");
    part.has_default = dash != std::string_view::npos;
    part.text = inside.substr(0, dash);
    if (part.has_default) part.otherwise = inside.substr(dash + 2);
    if (part.text.empty() || part.text.find_first_not_of("abcdefghijklmnopqrstuvwxyz0123456789") != part.text.npos) {
      refuse(text, "{" + part.text + "} is not the name of an attribute: these are a-z and 0-9, like {type}");
    }
    if (part.text == "data") refuse(text, "{data} is not an attribute");
    part.attribute = attribute_named(part.text);
    return part;
  }
  [[nodiscard]] static Attribute attribute_named(std::string_view name) noexcept {
    constexpr std::string_view kNames[] = {"id", "source", "type", "subject", "time", "datacontenttype", "dataschema"};
    for (std::size_t i = 0; i < std::size(kNames); ++i) {
      if (kNames[i] == name) return static_cast<Attribute>(i + 1);
    }
    return Attribute::extension;
  }
  [[nodiscard]] static std::string_view value_of(const Part& part, const EventView& event) noexcept {
    switch (part.attribute) {
      case Attribute::none:
        return part.text;
      case Attribute::id:
        return event.id();
      case Attribute::source:
        return event.source();
      case Attribute::type:
        return event.type();
      case Attribute::subject:
        return event.subject();
      case Attribute::time:
        return event.time();
      case Attribute::datacontenttype:
        return event.datacontenttype();
      case Attribute::dataschema:
        return event.dataschema();
      case Attribute::extension:
        break;
    }
    return event.extension(part.text).value_or(std::string_view());
  }

  std::string key_ = "template";
  std::vector<Part> parts_;
};

}  // namespace sluice
