#include "tests/tidy/habits.h"

#include <algorithm>
#include <cctype>
#include <filesystem>
#include <map>

namespace schakel::tidy {
namespace {

constexpr size_t kLinesMax = 400;

// Longer files, each with its reason.
const std::map<std::string_view, std::string_view>& LongFiles() {
  static const std::map<std::string_view, std::string_view> files = {
      {"clients/cli/messages.inc", "one list of texts: English and Dutch beside each other"},
      {"proto/schakel/v1/policy_bundle.proto", "one contract: the whole of a bundle, commented"},
  };
  return files;
}

size_t LinesOf(const SourceFile& file) {
  return static_cast<size_t>(std::count(file.text.begin(), file.text.end(), '\n'));
}

bool IsWordCharacter(char c) {
  return std::isalnum(static_cast<unsigned char>(c)) != 0 || c == '_';
}

// Whether `word` stands in `line` by itself: no letter, digit or _ on the sides where it has one.
bool HasWord(std::string_view line, std::string_view word) {
  for (size_t at = line.find(word); at != std::string_view::npos; at = line.find(word, at + 1)) {
    const bool left = !IsWordCharacter(word.front()) || at == 0 || !IsWordCharacter(line[at - 1]);
    const size_t end = at + word.size();
    const bool right =
        !IsWordCharacter(word.back()) || end == line.size() || !IsWordCharacter(line[end]);
    if (left && right) return true;
  }
  return false;
}

struct Ban {
  // In two parts, so that this file does not hold what it bans.
  std::string word;
  bool whole_word = true;
  bool (*looks_at)(const SourceFile& file);
  std::string_view instead;
};

bool Everywhere(const SourceFile&) { return true; }
bool InCode(const SourceFile& file) { return file.IsCode(); }
bool InProduct(const SourceFile& file) {
  return file.IsCode() && !file.Under("tests") && !file.Under("broker/store/testing");
}

const std::vector<Ban>& Bans() {
  constexpr std::string_view kFinish =
      "finish it, or leave it out and say so in CHANGELOG.md: nothing unfinished is kept here";
  constexpr std::string_view kRun =
      "a test runs or is deleted: one that is switched off proves nothing and is forgotten";
  constexpr std::string_view kRandom =
      "use broker/crypto/random.h: it is the only source of randomness, seeded by the system";
  static const std::vector<Ban> bans = {
      {std::string("Debug") + "String(", false, InProduct,
       "log named fields (broker/transport/log.h): a whole message in a log shows personal data"},
      {std::string("std::") + "rand", true, InProduct, kRandom},
      {std::string("random") + "_device", true, InProduct, kRandom},
      {std::string("mt") + "19937", false, InProduct, kRandom},
      {std::string("Bit") + "Gen", true, InProduct, kRandom},
      {std::string("#include ") + "<regex>", false, InProduct,
       "parse by hand: std::regex runs out of stack on long input"},
      {std::string("TO") + "DO", true, Everywhere, kFinish},
      {std::string("FIX") + "ME", true, Everywhere, kFinish},
      {std::string("XX") + "X", true, Everywhere, kFinish},
      {std::string("HA") + "CK", true, Everywhere, kFinish},
      {std::string("GTEST") + "_SKIP", true, InCode, kRun},
      {std::string("DISABLED") + "_", false, InCode, kRun},
  };
  return bans;
}

// The end of the call whose opening parenthesis stands at `open`, and the place of the last comma
// between its arguments.
struct CallShape {
  size_t last_comma = std::string_view::npos;
  size_t close = std::string_view::npos;
};
CallShape ShapeOf(std::string_view text, size_t open) {
  CallShape shape;
  int depth = 0;
  bool quoted = false;
  for (size_t i = open; i < text.size(); ++i) {
    const char c = text[i];
    if (quoted) {
      if (c == '\\') ++i;
      if (c == '"') quoted = false;
      continue;
    }
    if (c == '"') quoted = true;
    if (c == '(' || c == '{' || c == '[') ++depth;
    if (c == ')' || c == '}' || c == ']') --depth;
    if (c == ',' && depth == 1) shape.last_comma = i;
    if (depth == 0) {
      shape.close = i;
      return shape;
    }
  }
  return shape;
}

}  // namespace

std::vector<Finding> CheckWords(const SourceFile& file) {
  std::vector<Finding> findings;
  for (const Ban& ban : Bans()) {
    if (!ban.looks_at(file)) continue;
    ForEachLine(file.text, [&](size_t number, std::string_view line) {
      const bool found =
          ban.whole_word ? HasWord(line, ban.word) : line.find(ban.word) != std::string_view::npos;
      if (found) {
        findings.push_back({file.path, number, ban.word + ": " + std::string(ban.instead)});
      }
    });
  }
  return findings;
}

std::vector<Finding> CheckHeader(const SourceFile& file) {
  if (!file.Is(".h") && !file.Is(".h.in")) return {};
  size_t line_number = 1;
  bool found = false;
  bool decided = false;
  ForEachLine(file.text, [&](size_t number, std::string_view line) {
    if (decided || line.empty() || line.starts_with("//")) return;
    decided = true;
    found = line == "#pragma once";
    line_number = number;
  });
  if (found) return {};
  return {{file.path, line_number,
           "a header begins with a comment that is its contract, and then #pragma once"}};
}

std::vector<Finding> CheckLength(const SourceFile& file) {
  if (!file.IsCode() && !file.Is(".proto") && !file.Is(".py")) return {};
  const size_t lines = LinesOf(file);
  if (lines <= kLinesMax || LongFiles().contains(file.path)) return {};
  return {{file.path, 0,
           std::to_string(lines) + " lines: more than " + std::to_string(kLinesMax) +
               ". Split it by reasons to change; where one thing really is that long, add it with "
               "its reason to the list in tests/tidy/habits.cc"}};
}

std::vector<Finding> CheckLengthList(const std::vector<SourceFile>& tree) {
  std::vector<Finding> findings;
  for (const auto& [path, reason] : LongFiles()) {
    const auto file = std::find_if(tree.begin(), tree.end(),
                                   [&](const SourceFile& each) { return each.path == path; });
    if (file == tree.end() || LinesOf(*file) <= kLinesMax) {
      findings.push_back(
          {std::string(path), 0, "is gone, or short by now: take it off the list of long files"});
    }
  }
  return findings;
}

std::vector<Finding> CheckChecks(const SourceFile& file) {
  if (!file.IsCode() || file.Under("tests")) return {};
  std::vector<Finding> findings;
  const std::string_view text = file.text;
  const std::string call = std::string("SCHAKEL_") + "CHECK(";
  for (size_t at = text.find(call); at != std::string_view::npos; at = text.find(call, at + 1)) {
    const size_t line = text.rfind('\n', at) + 1;
    if (text.substr(line).starts_with("#define")) continue;
    const CallShape shape = ShapeOf(text, at + call.size() - 1);
    std::string_view message;
    if (shape.last_comma < shape.close) {
      message = text.substr(shape.last_comma + 1, shape.close - shape.last_comma - 1);
      message.remove_prefix(std::min(message.find_first_not_of(" \n"), message.size()));
    }
    // LIMIT: eight characters and a space between words: shorter says nothing.
    if (message.starts_with('"') && message.size() >= 10 &&
        message.find(' ') != std::string_view::npos) {
      continue;
    }
    findings.push_back({file.path, LineOf(text, at),
                        "its second argument says in words which rule was broken, as in "
                        "\"I7: an item is settled once\"; never data"});
  }
  return findings;
}

std::vector<Finding> CheckInvariants(const SourceFile& file, std::string_view architecture) {
  if (!file.IsCode()) return {};
  std::vector<Finding> findings;
  const std::string tag = std::string("INVARIANT") + " I";
  ForEachLine(file.text, [&](size_t number, std::string_view line) {
    const size_t at = line.find(tag);
    if (at == std::string_view::npos) return;
    const size_t begin = at + tag.size() - 1;
    size_t end = begin + 1;
    while (end < line.size() && std::isdigit(static_cast<unsigned char>(line[end])) != 0) ++end;
    const std::string name(line.substr(begin, end - begin));
    if (architecture.find("**" + name + " ") != std::string_view::npos) return;
    findings.push_back({file.path, number, name + " is no invariant of ARCHITECTURE.md"});
  });
  return findings;
}

std::vector<Finding> CheckLinks(const SourceFile& file, const std::string& top) {
  if (!file.Is(".md")) return {};
  std::vector<Finding> findings;
  const std::filesystem::path folder = std::filesystem::path(top) / file.path;
  ForEachLine(file.text, [&](size_t number, std::string_view line) {
    for (size_t at = line.find("]("); at != std::string_view::npos; at = line.find("](", at + 1)) {
      const size_t close = line.find(')', at);
      if (close == std::string_view::npos) return;
      std::string_view target = line.substr(at + 2, close - at - 2);
      target = target.substr(0, target.find('#'));
      if (target.empty() || target.find("://") != std::string_view::npos) continue;
      if (std::filesystem::exists(folder.parent_path() / target)) continue;
      findings.push_back(
          {file.path, number, "the link to " + std::string(target) + " leads nowhere"});
    }
  });
  return findings;
}

}  // namespace schakel::tidy
