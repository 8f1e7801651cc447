#include "clients/cli/secret_json.h"

namespace schakel::cli {
namespace {

void NewLine(std::ostream& out, int spaces) {
  out << '\n';
  for (int i = 0; i < spaces; ++i) out << ' ';
}

template <typename Visit>
void Walk(BytesView json, Visit visit) {
  bool in_string = false;
  bool escaped = false;
  for (const char c : json) {
    if (!in_string && (c == ' ' || c == '\t' || c == '\r' || c == '\n')) continue;
    if (static_cast<unsigned char>(c) < 0x20 || c == 0x7f) continue;
    if (in_string) {
      visit(c, true);
      if (escaped) {
        escaped = false;
      } else if (c == '\\') {
        escaped = true;
      } else if (c == '"') {
        in_string = false;
      }
    } else {
      in_string = c == '"';
      visit(c, in_string);
    }
  }
}

}  // namespace

void WriteCompactJson(std::ostream& out, BytesView json) {
  Walk(json, [&](char c, bool) { out << c; });
}

void WritePrettyJson(std::ostream& out, BytesView json, int indent) {
  int depth = 0;
  bool opened = false;  // the last part was { or [
  for (int i = 0; i < indent; ++i) out << ' ';
  Walk(json, [&](char c, bool in_string) {
    const bool closes = !in_string && (c == '}' || c == ']');
    if (closes) --depth;
    if (opened != closes && (opened || closes)) NewLine(out, indent + 2 * depth);
    opened = false;
    out << c;
    if (in_string) return;
    if (c == '{' || c == '[') {
      ++depth;
      opened = true;
    }
    if (c == ',') NewLine(out, indent + 2 * depth);
    if (c == ':') out << ' ';
  });
  out << '\n';
}

}  // namespace schakel::cli
