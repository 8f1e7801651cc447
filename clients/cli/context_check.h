// The steps of schakel context check. Each looks at one thing, says what it found, and, where that
// is not as it should be, what to do.
#pragma once

#include <optional>
#include <string>
#include <vector>

#include "broker/crypto/crl.h"
#include "clients/cli/verb.h"
#include "clients/sdk/bundle_source.h"

namespace schakel::cli {

enum class CheckState { kOk, kWarning, kFailed, kNotTested };

struct Finding {
  const char* step;     // for scripts: "tls"
  Msg name;             // for people: "TLS"
  std::string subject;  // what exactly, such as a custodian's number; may be empty
  CheckState state = CheckState::kOk;
  std::string found;
  std::string todo;    // empty when nothing is to be done
  std::string reason;  // stable, of the failure; may be empty
  ExitCode exit = ExitCode::kOk;
};

// One run of the check; later steps use what earlier ones found.
class Checkup {
 public:
  Checkup(Invocation& to, sdk::Session& with) : invocation(to), session(with) {}

  std::string Text(Msg message, std::initializer_list<std::string_view> args = {}) const {
    return invocation.Text(message, args);
  }
  void Ok(const char* step, Msg name, std::string found, std::string subject = {});
  void Warn(const char* step, Msg name, std::string found, std::string todo,
            std::string subject = {});
  void Fail(const char* step, Msg name, const Error& error, std::string todo, ExitCode exit,
            std::string subject = {});
  // `before`: the step that has to be put right first.
  void NotTested(const char* step, Msg name, Msg before);

  Invocation& invocation;
  sdk::Session& session;
  std::vector<Finding> findings;
  std::optional<crypto::TrustAnchors> anchors;
  std::unique_ptr<crypto::CrlStore> crls;
  std::vector<crypto::Certificate> chain;  // empty: unreadable
  bool certificate_good = false;
  bool key_good = false;
  bool reached = false;  // the broker answered a call
  v1::OrganisationEntry entry;
  std::shared_ptr<const sdk::LoadedBundle> bundle;
  std::vector<Millis> told;  // moments that the broker spoke of as past
};

// context_check_local.cc: the own files, no network.
void CheckFiles(Checkup& check);
// context_check_broker.cc: from its name to what it knows of the caller.
void CheckBroker(Checkup& check);
// context_check_remote.cc
void CheckPolicy(Checkup& check);
void CheckCustodians(Checkup& check);
void CheckClock(Checkup& check);
void CheckLogKey(Checkup& check);

// context_check.cc
void AddContextCheck(CLI::App* noun, Invocation& invocation);

// "12 days"; whole days, rounded down.
int64_t DaysUntil(Millis moment, Millis now);

}  // namespace schakel::cli
