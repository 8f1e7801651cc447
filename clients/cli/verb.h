// How a noun's file says which verbs and flags it has.
#pragma once

#include <google/protobuf/descriptor.h>

#include <functional>
#include <string>
#include <vector>

#include "clients/cli/invocation.h"

// CLI11's headers are read by the few files that need them: they are half of a noun's compilation.
namespace CLI {
class App;
class Option;
}  // namespace CLI

namespace schakel::cli {

// A flag or argument that a verb has.
class Parameter {
 public:
  explicit Parameter(CLI::Option* option) : option_(option) {}
  void Required();

 private:
  CLI::Option* option_;
};

// A noun, under which verbs are added.
CLI::App* AddNoun(CLI::App& program, Invocation& invocation, const char* name, Msg help);

class Verb {
 public:
  // `examples`: command lines, one a line; help begins with them.
  Verb(CLI::App* noun, Invocation& invocation, const char* name, Msg help, const char* examples);

  // A flag with a value, or (name without dashes) an argument. Help says `value` for it.
  Parameter Value(const char* names, std::string& to, Msg help, const char* value);
  // One that may be given several times, each with one value.
  Parameter Values(const char* names, std::vector<std::string>& to, Msg help, const char* value);
  Parameter Number(const char* names, uint64_t& to, Msg help);
  Parameter Flag(const char* names, bool& to, Msg help);
  // One value, or several, out of an enum's codes: completion and man pages name them.
  Parameter Choice(const char* names, std::string& to, Msg help, const char* value,
                   const google::protobuf::EnumDescriptor* type);
  Parameter Choices(const char* names, std::vector<std::string>& to, Msg help, const char* value,
                    const google::protobuf::EnumDescriptor* type);
  // A flag that may be repeated: how often.
  Parameter Count(const char* names, uint64_t& to, Msg help);
  void AllowCsv();

  // What it does, once everything was parsed.
  void Run(std::function<Result<ExitCode>()> action);

 private:
  CLI::App* app_;
  Invocation& invocation_;
  bool csv_ = false;
};

// One function a noun.
void AddSignal(CLI::App& program, Invocation& invocation);
void AddInbox(CLI::App& program, Invocation& invocation);
void AddLoopback(CLI::App& program, Invocation& invocation);
void AddConsent(CLI::App& program, Invocation& invocation);
void AddPseudonym(CLI::App& program, Invocation& invocation);
void AddKeys(CLI::App& program, Invocation& invocation);
void AddOrg(CLI::App& program, Invocation& invocation);
void AddPolicy(CLI::App& program, Invocation& invocation);
void AddFlow(CLI::App& program, Invocation& invocation);
void AddAudit(CLI::App& program, Invocation& invocation);
void AddContext(CLI::App& program, Invocation& invocation);
void AddBench(CLI::App& program, Invocation& invocation);
void AddCompletion(CLI::App& program, Invocation& invocation);
void AddVersion(CLI::App& program, Invocation& invocation);

}  // namespace schakel::cli
