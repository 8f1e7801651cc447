// The parts of schakel audit.
#pragma once

#include <string>
#include <vector>

#include "clients/cli/verb.h"

namespace schakel::cli {

// Whose log a verb reads: the broker's, or that of a custodian of the context.
struct WhichLog {
  std::vector<std::string> given;  // values of --custodian behind the verb

  // The log, opened once the options were parsed.
  struct Opened {
    sdk::AuditClient* client = nullptr;  // null where only the memory was asked for
    sdk::CheckpointMemory* memory = nullptr;
  };
  Result<Opened> Open(Invocation& invocation) const;
  // Whether it is a custodian's. USAGE.
  Result<bool> OfCustodian(const Invocation& invocation) const;
  // Only what is remembered of it: for files, without a connection.
  Result<Opened> OpenMemory(Invocation& invocation) const;

 private:
  // 0 for the broker's log. USAGE.
  Result<uint64_t> Number(const Invocation& invocation) const;
  // The flag of the same name that every verb takes may stand behind the verb too.
  void PassOn(Invocation& invocation) const;
};
// The flag --custodian N of a verb.
void AddWhichLog(Verb& verb, WhichLog& which);

// query and subject
void AddAuditQuery(CLI::App* noun, Invocation& invocation);
// state
void AddAuditState(CLI::App* noun, Invocation& invocation);
// verify and export
void AddAuditVerify(CLI::App* noun, Invocation& invocation);

// When something was destroyed, by which rule of which bundle, and where the log says so.
std::string DestroyedText(const Invocation& invocation, const v1::DestroyedRecord& destroyed);
// Of what a sweep destroyed some: records, details, signals, statements.
std::string SweptWhat(const Invocation& invocation, const std::string& swept);
// What a record without sections is about; empty where its other columns say all.
std::string AboutText(Invocation& invocation, const v1::Record& record);

// The organisations whose actors a list names, and whom to ask there who these are.
class WhomToAsk {
 public:
  void Add(const v1::Record& record);
  // Below a table: a line for each organisation.
  void Show(Invocation& invocation) const;

 private:
  std::vector<std::string> organisations_;  // OINs, in order of appearance
};

// A number of the log, from 0. USAGE otherwise.
Result<uint64_t> ParseIndex(Language language, const std::string& text, const std::string& option);

}  // namespace schakel::cli
