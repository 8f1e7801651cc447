// Man pages in man(7), from the command tree.
#include <algorithm>
#include <cctype>

#include "clients/cli/completion_parts.h"
#include "clients/cli/messages.h"

namespace schakel::cli {
namespace {

// What roff would take for its own: backslashes, and a dot or apostrophe that begins a line.
std::string Escaped(const std::string& text) {
  std::string out;
  bool line_begins = true;
  for (const char c : text) {
    if (line_begins && (c == '.' || c == '\'')) out += "\\&";
    if (c == '\\') {
      out += "\\e";
    } else if (c == '-') {
      out += "\\-";
    } else {
      out += c;
    }
    line_begins = c == '\n';
  }
  return out;
}

// How long mandoc finds it once letters beyond ASCII are spelled out, as in \[u00E9].
size_t SourceWidth(const std::string& word) {
  size_t width = 0;
  for (const char c : Escaped(word)) {
    const auto byte = static_cast<unsigned char>(c);
    if (byte < 0x80) ++width;
    if (byte >= 0xc0) width += 8;
  }
  return width;
}

// Prose on lines of 78 bytes at most, as roff sources are written; words stay whole.
std::string Wrapped(const std::string& text) {
  std::string out;
  size_t column = 0;
  for (size_t at = 0; at < text.size();) {
    const size_t end = std::min(text.find(' ', at), text.size());
    const std::string word = text.substr(at, end - at);
    const size_t width = SourceWidth(word);
    if (column > 0 && column + 1 + width > 78) {
      out += '\n';
      column = 0;
    }
    if (column > 0) out += ' ';
    column += width + (column > 0 ? 1 : 0);
    out += word;
    at = end + 1;
  }
  return out;
}

class Page {
 public:
  Page(const Command& tree, Language language) : tree_(tree), language_(language) {}

  std::string Of(const Command& noun, const std::string& version, const std::string& date) {
    const std::string name = noun.path.empty() ? "schakel" : "schakel-" + noun.path;
    std::string title;
    for (const char c : name) {
      title += static_cast<char>(std::toupper(static_cast<unsigned char>(c)));
    }
    out_ =
        "." + std::string("\\\" Made from the program's own commands by schakel completion man\n");
    out_ += ".TH " + Escaped(title) + " 1 " + date + " \"schakel " + version + "\"\n";
    Heading(Msg::kManName);
    out_ += Escaped(name + " - " + noun.help) + "\n";
    Heading(Msg::kManSynopsis);
    Synopsis(noun);
    if (!noun.examples.empty()) {
      Heading(Msg::kManExamples);
      Examples(noun);
    }
    if (!noun.tasks.empty()) {
      Heading(Msg::kManTasks);
      for (const auto& task : noun.tasks) Item(task.who, StepsOf(task));
    }
    if (!noun.commands.empty()) {
      Heading(noun.path.empty() ? Msg::kManNouns : Msg::kManCommands);
      for (const auto& child : noun.commands) noun.path.empty() ? Noun(child) : Verb(child);
    }
    if (noun.path.empty()) {
      Heading(Msg::kManOptions);
      for (const auto& option : noun.options) Option(option);
      Heading(Msg::kManFiles);
      Item("$XDG_CONFIG_HOME/schakel/contexts.yaml", Text(Msg::kManFileContexts));
      Item("$XDG_STATE_HOME/schakel/", Text(Msg::kManFileState));
      Heading(Msg::kManExit);
      out_ += Prose(Text(Msg::kManExitCodes)) + "\n";
    } else {
      Heading(Msg::kManOptions);
      out_ += Prose(Text(Msg::kManCommonOptions)) + "\n";
    }
    Heading(Msg::kManSeeAlso);
    SeeAlso(name);
    return out_;
  }

 private:
  std::string Text(Msg message) const { return Say(language_, message); }
  void Heading(Msg text) { out_ += ".SH " + Escaped(Text(text)) + "\n"; }
  void Item(const std::string& what, const std::string& text) {
    out_ += ".TP\n.B " + Escaped(what) + "\n" + Prose(text) + "\n";
  }
  // A line of text may grow by escapes, so it is broken first.
  static std::string Prose(const std::string& text) { return Escaped(Wrapped(text)); }
  void Noun(const Command& noun) { Item("schakel " + noun.path, noun.help); }

  static std::string StepsOf(const CommandTask& task) {
    std::string text;
    for (const auto& step : task.steps) text += (text.empty() ? "" : ", ") + step;
    return text;
  }

  // One command a line, as it is typed.
  void Usage(const Command& command) {
    out_ += ".B " + Escaped("schakel " + command.path) + "\n";
    std::string rest;
    bool optional = false;
    for (const auto& option : command.options) {
      if (option.is_argument()) {
        rest += option.required ? " " + option.value : " [" + option.value + "]";
      } else if (option.required) {
        rest += " " + option.names.back() + " " + option.value + (option.repeatable ? " ..." : "");
      } else {
        optional = true;
      }
    }
    if (optional) rest += " [" + Text(Msg::kOptionsLabel) + "]";
    out_ += Prose(rest.substr(rest.empty() ? 0 : 1)) + "\n";
  }

  void Synopsis(const Command& noun) {
    if (noun.path.empty()) {
      out_ += ".B schakel\n" + Escaped(Text(Msg::kManUsage)) + "\n";
      return;
    }
    if (noun.commands.empty()) return Usage(noun);
    bool first = true;
    for (const auto& verb : noun.commands) {
      if (!first) out_ += ".br\n";
      first = false;
      Usage(verb);
    }
  }

  void Examples(const Command& command) {
    out_ += ".RS 4\n.nf\n" + Escaped(command.examples) + "\n.fi\n.RE\n";
  }

  void Option(const CommandOption& option) {
    std::string names;
    for (const auto& name : option.names) names += (names.empty() ? "" : ", ") + name;
    if (!option.value.empty() && !option.is_argument()) names += " " + option.value;
    std::string text = option.help;
    if (!option.choices.empty()) {
      std::string list;
      for (const auto& choice : option.choices) list += (list.empty() ? "" : ", ") + choice;
      // Help that lists them itself does not need them twice.
      if (text.find(option.choices.front()) == std::string::npos) text += ": " + list;
    }
    if (option.required) text += " (" + Text(Msg::kRequired) + ")";
    Item(names, text);
  }

  void Verb(const Command& verb) {
    out_ += ".SS " + Escaped("schakel " + verb.path) + "\n" + Prose(verb.help + ".") + "\n";
    if (!verb.examples.empty()) Examples(verb);
    for (const auto& option : verb.options) {
      if (option.names.front() != "-h") Option(option);
    }
  }

  void SeeAlso(const std::string& own) {
    std::string line;
    const auto add = [&](const std::string& name) {
      if (name == own) return;
      if (!line.empty()) line += " ,\n";
      line += ".BR " + Escaped(name) + " (1)";
    };
    add("schakel");
    for (const auto& noun : tree_.commands) add("schakel-" + noun.path);
    out_ += line + "\n";
  }

  const Command& tree_;
  Language language_;
  std::string out_;
};

}  // namespace

std::map<std::string, std::string> ManPages(const Command& tree, Language language,
                                            const std::string& version, const std::string& date) {
  std::map<std::string, std::string> pages;
  pages["schakel.1"] = Page(tree, language).Of(tree, version, date);
  for (const auto& noun : tree.commands) {
    pages["schakel-" + noun.path + ".1"] = Page(tree, language).Of(noun, version, date);
  }
  return pages;
}

}  // namespace schakel::cli
