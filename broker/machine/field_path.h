// The path of a field in a message, as an error names it. Put together only when there is one: a
// good envelope passes some fifty checks.
#pragma once

#include <string>
#include <string_view>

namespace schakel::machine {

struct FieldPath {
  FieldPath(const char* text) : name(text) {}         // NOLINT(google-explicit-constructor)
  FieldPath(const std::string& text) : name(text) {}  // NOLINT(google-explicit-constructor)
  // name[place].field, or name[place] without a field.
  FieldPath(std::string_view list, int at, std::string_view rest = {})
      : name(list), place(at), field(rest) {}
  // name[place].inner[inner_place].field
  FieldPath(std::string_view list, int at, std::string_view inner_list, int inner_at,
            std::string_view rest = {})
      : name(list), place(at), inner(inner_list), inner_place(inner_at), field(rest) {}

  std::string str() const {
    std::string text(name);
    auto add = [&text](std::string_view list, int at) {
      if (!list.empty()) text.append(".").append(list);
      if (at >= 0) text.append("[").append(std::to_string(at)).append("]");
    };
    add({}, place);
    add(inner, inner_place);
    add(field, -1);
    return text;
  }

  std::string_view name;
  int place = -1;
  std::string_view inner = {};
  int inner_place = -1;
  std::string_view field = {};
};

}  // namespace schakel::machine
