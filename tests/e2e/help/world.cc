#include "tests/e2e/help/world.h"

#include <cctype>
#include <cstdio>
#include <ctime>

#include "broker/base/check.h"
#include "clients/sdk/flow_client.h"
#include "tests/e2e/story.h"

namespace schakel::e2e {
namespace {

// What a placeholder in an example stands for: what the user saw last behind these words.
struct Placeholder {
  const char* word;
  const char* behind;  // empty: `is` alone tells
  bool (*is)(std::string_view word);
};

bool IsId(std::string_view word) { return UuidParse(word).has_value(); }
bool IsAlias(std::string_view word) { return word.starts_with("ZHZ-"); }
bool IsDigest(std::string_view word) { return word.size() == 64 && HexDecode(word).has_value(); }

constexpr Placeholder kPlaceholders[] = {
    {"SIGNAL", "Signal: ", IsId},
    {"DELIVERY", "Delivery: ", IsId},
    {"STATEMENT", "Statement ", IsId},
    {"LABEL", "label ", IsId},
    {"ALIAS", "", IsAlias},
    {"DIGEST", "", IsDigest},
};

std::string WordAt(const std::string& text, size_t at) {
  const size_t end = std::min(text.find_first_of(" \t\r\n,;\"", at), text.size());
  return text.substr(at, end - at);
}

// The last word on the screen that the placeholder may stand for; empty when there is none.
std::string LastSeen(const std::string& screen, const Placeholder& placeholder) {
  const std::string behind = placeholder.behind;
  for (size_t at = screen.size(); at-- > 0;) {
    const bool begins = behind.empty()
                            ? at == 0 || std::isspace(static_cast<unsigned char>(screen[at - 1]))
                            : screen.compare(at, behind.size(), behind) == 0;
    if (!begins) continue;
    std::string word = WordAt(screen, at + behind.size());
    if (placeholder.is(word)) return word;
  }
  return {};
}

bool IsLetter(char c) {
  return std::isalnum(static_cast<unsigned char>(c)) || c == '_' || c == '-';
}

void ReplaceWord(std::string& text, const std::string& word, const std::string& by) {
  for (size_t at = text.find(word); at != std::string::npos; at = text.find(word, at)) {
    const size_t end = at + word.size();
    const bool whole =
        (at == 0 || !IsLetter(text[at - 1])) && (end == text.size() || !IsLetter(text[end]));
    if (whole) text.replace(at, word.size(), by);
    at += whole ? by.size() : word.size();
  }
}

template <typename T>
T Must(Result<T> result, const char* what) {
  if (!result.ok()) std::fprintf(stderr, "%s: %s\n", what, Why(result).c_str());
  SCHAKEL_CHECK(result.ok(), what);
  return std::move(result).value();
}

std::string UtcNow() {
  const std::time_t now = std::time(nullptr);
  std::tm parts{};
  gmtime_r(&now, &parts);
  char text[32];
  SCHAKEL_CHECK(std::strftime(text, sizeof text, "%FT%TZ", &parts) > 0, "a time has its length");
  return text;
}

void Must(const Shown& shown, const char* what) {
  if (shown.code != 0)
    std::fprintf(stderr, "%s: %s%s\n", what, shown.out.c_str(), shown.err.c_str());
  SCHAKEL_CHECK(shown.code == 0, what);
}

}  // namespace

World::World(Region& region, const std::string& newcomer) : region_(region) {
  for (const auto& participant : Participants()) {
    auto user = std::make_unique<ShellUser>(region.folder() / "home" / participant.name);
    const auto context = region.ContextOf(participant.name);
    if (participant.name == newcomer) {
      user->Copy(region.pki().ca(), "ca.pem");
      user->Copy(region.pki().crl(), "crl.pem");
      user->Copy(region.CertificateOf(newcomer).certificate, newcomer + ".pem");
      user->Copy(region.CertificateOf(newcomer).key, newcomer + ".key");
      user->Write("log-key.txt", region.log_key() + "\n");
    } else {
      user->Take(context);
    }
    user->Copy(region.folder() / "key/key-document.pb", "key-document.pb");
    users_.emplace(participant.name, std::move(user));
  }
  At("registrar").Copy(region.CertificateOf("debt-relief").certificate, "debt-relief.pem");
  At("registrar").Copy(region.CertificateOf("auditor").certificate, "audit.pem");
  values_["broker.zhz.example:7443"] = region.address();
  const auto context = region.ContextOf(newcomer);
  for (int i = 0; i < 2; ++i) {
    const std::string number = std::to_string(i + 1);
    values_["0000009900000000900" + number + "=custodian-" + number + ".example:7444"] =
        context.custodians(i).oin() + "=" + context.custodians(i).address();
  }
}

ShellUser& World::At(const std::string& who) {
  const auto user = users_.find(who);
  SCHAKEL_CHECK(user != users_.end(), "plays name participants that exist");
  return *user->second;
}

std::vector<std::string> World::Help(const std::string& who, const std::string& command) {
  const auto shown = At(who).Run("schakel " + command + (command.empty() ? "--help" : " --help"));
  SCHAKEL_CHECK(shown.code == 0, "help is printed");
  return ExamplesOf(shown.out);
}

std::string World::Typed(const std::string& who, std::string example) {
  for (const auto& [printed, here] : values_) ReplaceWord(example, printed, here);
  ReplaceWord(example, "2026-03-01T12:00Z", UtcNow());  // a moment since the region is there
  for (const auto& placeholder : kPlaceholders) {
    const std::string seen = LastSeen(At(who).screen(), placeholder);
    if (!seen.empty()) ReplaceWord(example, placeholder.word, seen);
  }
  return example;
}

Shown World::Play(const std::string& who, const std::string& command, size_t example, Manner manner,
                  const std::string& shows, const std::string& types) {
  const auto examples = Help(who, command);
  if (example >= examples.size()) return {-1, "", "there is no such example of " + command};
  return At(who).Run({Typed(who, examples[example]), manner, shows, types});
}

void World::Admit(const std::string& who) {
  auto* const org = Must(region_.As("registrar").org(), "the registrar's client");
  (void)Must(org->AdmitOrReplace(region_.EntryOf(who)), "admitted");
}

void World::Arrive() { (void)Must(Send(region_.As("corporation"), Arrears()), "arrears are sent"); }

void World::BeDenied() {
  auto arrears = Arrears();
  arrears.recipients = {sdk::Addressee::To(region_.OinOf("police"))};
  const auto sent = Must(Send(region_.As("corporation"), arrears, sdk::WrapChoice::kEveryRecipient),
                         "a denied one");
  SCHAKEL_CHECK(!sent.all_queued(), "no rule lets the police read arrears");
}

void World::Hold() {
  Arrive();
  Must(Play("debt-relief", "inbox fetch"), "debt relief fetches");
}

void World::TestAndBeAnswered(const std::string& who) {
  Must(Play(who, "signal send"), "a test is sent");
  Must(Play("loopback", "loopback run", 1), "the loopback answers");
}

void World::Stall() {
  auto& police = region_.As("police");
  sdk::SignalDraft report;
  report.signal_type = "domestic-violence-report";
  report.purpose = "stop-domestic-violence";
  report.recipients.push_back(ToFunction("domestic-violence-centre", "dordrecht"));
  report.subjects = {Must(PersonBy(region_, "police", 40), "a person")};
  report.sections.push_back(Section("safety", "wmo-veilig-thuis",
                                    R"({"occurred_on":"2026-01-02","kinds":["physical"]})"));
  (void)Must(Send(police, report), "a report is sent");
  region_.steering().Pass(std::chrono::hours(25));
  auto* const flow = Must(region_.As("chain-director").flow(), "the director's client");
  for (int looks = 0; looks < 100; ++looks) {
    if (Must(flow->ListStalled(), "what is stalled").signals_size() > 0) return;
    SCHAKEL_CHECK(region_.steering().AwaitLooks(1), "the broker looks after itself");
  }
  SCHAKEL_CHECK(false, "a report stalls after its term");
}

void World::HandOver(const std::string& from, const std::string& file, const std::string& to) {
  At(to).Copy(At(from).home() / file, file);
}

void World::StandInFor(const std::string& who, const std::string& other) {
  At(who).TakeToo(region_.ContextOf(other));
  SCHAKEL_CHECK(EmptyInbox(region_.As(other)).ok(), "an inbox is emptied");
}

}  // namespace schakel::e2e
