#include "clients/cli/invocation.h"

#include <google/protobuf/util/json_util.h>
#include <unistd.h>

#include <algorithm>

#include "broker/crypto/key_document.h"
#include "clients/cli/parse.h"
#include "clients/cli/words.h"
#include "clients/sdk/files.h"
#include "schakel/v1/custodian.pb.h"

namespace schakel::cli {

std::string ToJson(const google::protobuf::Message& message, bool pretty) {
  google::protobuf::util::JsonPrintOptions options;
  options.add_whitespace = pretty;
  options.always_print_primitive_fields = true;
  std::string json;
  const auto status = google::protobuf::util::MessageToJsonString(message, &json, options);
  SCHAKEL_CHECK(status.ok(), "a generated message has a JSON form");
  return json;
}

namespace {

// Of a key document in a file: as keygen writes it and custodians give it, or its bytes alone.
Result<Digest> KeyDocumentDigest(const std::string& path, uint32_t epoch) {
  SCHAKEL_ASSIGN(const Bytes file, sdk::ReadFile(path, 1 << 20));
  v1::GetKeyDocumentResponse wire;
  const bool is_wire = wire.ParseFromString(file) && !wire.key_document().empty();
  auto document = crypto::KeyDocument::Parse(is_wire ? wire.key_document() : file);
  if (!document.ok()) {
    Error error = document.error();
    error.field = path;
    return error;
  }
  if (document->epoch() != epoch) {
    return MakeError(ErrorCode::kFailedPrecondition, "KEY_DOCUMENT_MISMATCH",
                     "it is of epoch " + std::to_string(document->epoch()) + ", expected " +
                         std::to_string(epoch),
                     path);
  }
  return document->digest();
}

}  // namespace

Status Invocation::Start() {
  const std::string& output = options_.output;
  if (output == "table") {
    format_ = Format::kTable;
  } else if (output == "json") {
    format_ = Format::kJson;
  } else if (output == "jsonl") {
    format_ = Format::kJsonl;
  } else if (output == "csv") {
    format_ = Format::kCsv;
    if (!may_csv) return UsageError(Text(Msg::kCsvNotHere), "--output");
  } else {
    return UsageError(Text(Msg::kUnknownFormat, {output}), "--output");
  }
  const std::string& code = options_.flags.language();
  if (!code.empty() && !LanguageOf(code)) {
    return UsageError(Text(Msg::kUnknownLanguage, {code}), "--language");
  }
  SCHAKEL_ASSIGN(timeout_, ParseDuration(language_, options_.timeout, "--timeout"));
  return {};
}

Result<config::v1::Context> Invocation::Flags() const {
  config::v1::Context flags = options_.flags;
  flags.clear_custodians();
  for (const auto& text : options_.custodians) {
    SCHAKEL_ASSIGN(const auto pair, ParsePair(language_, text, "--custodian"));
    SCHAKEL_ASSIGN(const auto oin, ParseOin(language_, pair.first, "--custodian"));
    auto* custodian = flags.add_custodians();
    custodian->set_oin(oin.str());
    custodian->set_address(pair.second);
  }
  for (const auto& text : options_.custodian_log_keys) {
    SCHAKEL_ASSIGN(const auto pair, ParsePair(language_, text, "--custodian-log-key"));
    auto& given = *flags.mutable_custodians();
    const auto of = std::find_if(given.begin(), given.end(),
                                 [&](const auto& each) { return each.oin() == pair.first; });
    if (of == given.end()) {
      return UsageError(Text(Msg::kCustodianNotGiven, {pair.first}), "--custodian-log-key");
    }
    of->set_log_key(pair.second);
  }
  flags.clear_key_documents();
  for (const auto& text : options_.key_documents) {
    SCHAKEL_ASSIGN(const auto pair, ParsePair(language_, text, "--key-document"));
    const bool is_epoch =
        pair.first.size() <= 9 && pair.first.find_first_not_of("0123456789") == std::string::npos;
    const uint32_t epoch = is_epoch ? static_cast<uint32_t>(std::stoul(pair.first)) : 0;
    if (epoch == 0) return UsageError(Text(Msg::kEpochWrong, {pair.first}), "--key-document");
    Digest digest;
    if (pair.second.starts_with('@')) {
      SCHAKEL_ASSIGN(digest, KeyDocumentDigest(pair.second.substr(1), epoch));
    } else {
      SCHAKEL_ASSIGN(digest, ParseDigest(language_, pair.second, "--key-document"));
    }
    auto* document = flags.add_key_documents();
    document->set_epoch(epoch);
    document->set_digest(HexEncode(digest.view()));
  }
  return flags;
}

Result<config::v1::Context> Invocation::Context() {
  SCHAKEL_ASSIGN(const auto flags, Flags());
  const auto file = sdk::ContextsFilePath(io_.environment);
  SCHAKEL_ASSIGN(auto context, sdk::ResolveContext(file, flags, io_.environment));
  // Without a language anywhere else the locale's is taken, not the SDK's default.
  if (flags.language().empty() && !io_.environment("SCHAKEL_LANGUAGE")) {
    SCHAKEL_ASSIGN(const auto contexts, sdk::LoadContexts(file));
    const auto& all = contexts.contexts();
    const auto own = std::find_if(all.begin(), all.end(), [&](const auto& each) {
      return each.name() == context.name() && !each.language().empty();
    });
    if (own == all.end()) context.set_language(CodeOf(language_));
  }
  if (const auto language = LanguageOf(context.language())) language_ = *language;
  return context;
}

Result<sdk::Session*> Invocation::session() {
  if (!session_) {
    SCHAKEL_ASSIGN(auto context, Context());
    session_ = std::make_unique<sdk::Session>(std::move(context), timeout_);
  }
  return session_.get();
}

Names& Invocation::names() {
  if (names_) return *names_;
  sdk::Session* from = nullptr;
  if (format_ == Format::kTable || format_ == Format::kCsv) {
    const auto with = session();
    if (with.ok()) from = *with;
  }
  if (from != nullptr && hurry_names_) {
    hurried_session_ =
        std::make_unique<sdk::Session>(from->context(), std::chrono::milliseconds(1000));
    from = hurried_session_.get();
  }
  names_ = std::make_unique<Names>(from, language_);
  return *names_;
}

void Invocation::Note(Msg message, std::initializer_list<std::string_view> args) {
  io_.err << Text(message, args) << '\n';
}

bool Invocation::AsksOnTerminal() const { return isatty(io_.in) == 1; }

bool Invocation::Ask(Msg question) {
  io_.err << Text(question) << ' ' << std::flush;
  std::string line;
  char letter = 0;
  while (line.size() < 100 && read(io_.in, &letter, 1) == 1 && letter != '\n') line += letter;
  return line == "y" || line == "yes" || line == "j" || line == "ja";
}

void Invocation::ReportError(const Error& error) {
  io_.err << "schakel: ";
  // Local failures speak English in detail; what it is about stands before it.
  const std::string word = ReasonWord(language_, error.reason);
  if (language_ == Language::kDutch && word != error.reason && word != error.message) {
    io_.err << word << ": ";
  }
  io_.err << Printable(error.message);
  std::string tail;
  if (error.reason != "USAGE" && !error.reason.empty()) tail = error.reason;
  if (!error.field.empty()) tail += (tail.empty() ? "" : ", ") + Printable(error.field);
  if (!tail.empty()) io_.err << " (" << tail << ")";
  io_.err << '\n';
  if (error.retry_after_ms > 0) {
    const int64_t seconds = (error.retry_after_ms + 999) / 1000;
    Note(Msg::kRetryAfter, {std::to_string(seconds)});
  }
}

void Invocation::ShowTable(const Table& table) {
  if (format_ == Format::kCsv) {
    io_.out << table.Csv(language_ == Language::kDutch ? ';' : ',');
    return;
  }
  const bool colour = io_.colour && !io_.environment("NO_COLOR");
  io_.out << table.Render(io_.columns, colour);
}

void Invocation::Show(const google::protobuf::Message& whole, const char* rows,
                      const Table& table) {
  if (format_ == Format::kJson || (format_ == Format::kJsonl && rows == nullptr)) {
    io_.out << ToJson(whole, format_ == Format::kJson);
    if (format_ == Format::kJsonl) io_.out << '\n';
    return;
  }
  if (format_ == Format::kJsonl) {
    const auto* field = whole.GetDescriptor()->FindFieldByName(rows);
    SCHAKEL_CHECK(field != nullptr && field->is_repeated(), "the rows are a repeated field");
    const auto* reflection = whole.GetReflection();
    for (int i = 0; i < reflection->FieldSize(whole, field); ++i) {
      io_.out << ToJson(reflection->GetRepeatedMessage(whole, field, i), false) << '\n';
    }
    return;
  }
  ShowTable(table);
}

void Invocation::ShowJson(const std::string& whole, const std::vector<std::string>& lines,
                          const Table& table) {
  if (format_ == Format::kJson) {
    io_.out << whole << '\n';
  } else if (format_ == Format::kJsonl) {
    for (const auto& line : lines) io_.out << line << '\n';
  } else {
    ShowTable(table);
  }
}

void Invocation::Heading(Msg name, const std::string& value) {
  if (format_ == Format::kTable) io_.out << Text(name) << ": " << Printable(value) << '\n';
}

void Invocation::Line(const std::string& text) {
  if (format_ == Format::kTable) io_.out << Printable(text) << '\n';
}

}  // namespace schakel::cli
