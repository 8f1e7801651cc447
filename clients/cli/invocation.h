// One run of the program: what was asked, in which language, towards which broker, and where output
// goes. Data goes to `out`, everything else to `err`.
#pragma once

#include <functional>
#include <initializer_list>
#include <map>
#include <memory>
#include <optional>
#include <ostream>
#include <string>
#include <string_view>
#include <vector>

#include "broker/base/result.h"
#include "clients/cli/exit_code.h"
#include "clients/cli/input.h"
#include "clients/cli/messages.h"
#include "clients/cli/names.h"
#include "clients/cli/table.h"
#include "clients/sdk/session.h"
#include "schakel/config/v1/contexts.pb.h"

namespace CLI {
class Option;
}

namespace schakel::cli {

// Where a run reads and writes. Streams live as long as the run.
struct Io {
  std::ostream& out;
  std::ostream& err;
  sdk::Environment environment;
  int in = 0;             // descriptor of standard input
  int columns = 0;        // how wide tables may be; 0: a row is one line
  bool colour = false;    // `out` is a terminal
  bool progress = false;  // `err` is a terminal
};

enum class Format { kTable, kJson, kJsonl, kCsv };

// Flags that every verb takes.
struct GlobalOptions {
  config::v1::Context flags;                    // empty fields were not given
  std::vector<std::string> custodians;          // OIN=HOST:PORT
  std::vector<std::string> custodian_log_keys;  // OIN=VKEY
  std::vector<std::string> key_documents;       // EPOCH=DIGEST or EPOCH=@FILE
  std::string output = "table";
  std::string timeout = "10s";
};

// Not thread-safe.
class Invocation {
 public:
  Invocation(Io& io, Language language) : io_(io), language_(language), input_(io.in) {}

  std::ostream& out() { return io_.out; }
  std::ostream& err() { return io_.err; }
  const Io& io() const { return io_; }
  GlobalOptions& options() { return options_; }
  Language language() const { return language_; }
  Format format() const { return format_; }
  Input& input() { return input_; }

  // What the verb does; set by the parser, called when all was parsed.
  std::function<Result<ExitCode>()> action;
  bool may_csv = false;

  // Values that an option takes, where they are few: for completion and man pages.
  std::map<const CLI::Option*, std::vector<std::string>> choices;

  // Checks the global options. Errors: USAGE.
  Status Start();
  // What the flags alone say, custodians and key documents read. Errors: USAGE, FILE_MISSING.
  Result<config::v1::Context> Flags() const;
  // The context with its key documents and custodians, as flags, environment and file give it.
  Result<config::v1::Context> Context();
  // Made at the first call. Lives as long as the run.
  Result<sdk::Session*> session();
  // Names of codes from the active bundle and of organisations from the directory; codes and OINs
  // where those can't be reached, and in JSON, which has codes only.
  Names& names();
  // From now on names() waits a second at most: for answers that need no broker.
  void HurryNames() { hurry_names_ = true; }

  std::string Text(Msg message, std::initializer_list<std::string_view> args = {}) const {
    return Say(language_, message, args);
  }
  // A line on `err`.
  void Note(Msg message, std::initializer_list<std::string_view> args = {});
  // Whether standard input is a terminal, so that somebody can be asked.
  bool AsksOnTerminal() const;
  // Puts a question on `err` and reads a line: whether it is yes or ja. An end of input is a no.
  bool Ask(Msg question);
  // The line on `err` that says what went wrong.
  void ReportError(const Error& error);

  // ---- Data ----
  // JSON: the whole message. JSON lines: each item of its repeated field `rows` on a line (the
  // whole message when rows is null). Table, CSV: the table.
  void Show(const google::protobuf::Message& whole, const char* rows, const Table& table);
  // One JSON value instead of a message; JSON lines: each item when it is an array.
  void ShowJson(const std::string& whole, const std::vector<std::string>& lines,
                const Table& table);
  void ShowTable(const Table& table);
  // "Name: value" above a table; nothing in other formats.
  void Heading(Msg name, const std::string& value);
  // One line for people; nothing in other formats.
  void Line(const std::string& text);

 private:
  Io& io_;
  Language language_;
  Input input_;
  GlobalOptions options_;
  Format format_ = Format::kTable;
  std::chrono::milliseconds timeout_{10'000};
  std::unique_ptr<sdk::Session> session_;
  bool hurry_names_ = false;
  std::unique_ptr<sdk::Session> hurried_session_;
  std::unique_ptr<Names> names_;
};

// proto3 JSON, unset scalar fields included so that scripts need not know defaults.
std::string ToJson(const google::protobuf::Message& message, bool pretty);

}  // namespace schakel::cli
