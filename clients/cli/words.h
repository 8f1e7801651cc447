// Names of the wire's enums and reasons, for people, in both languages.
#pragma once

#include <google/protobuf/descriptor.h>

#include <string>
#include <string_view>
#include <vector>

#include "clients/cli/language.h"
#include "clients/cli/table.h"
#include "schakel/v1/directory.pb.h"
#include "schakel/v1/inbox.pb.h"
#include "schakel/v1/record.pb.h"
#include "schakel/v1/signal.pb.h"

namespace schakel::cli {

// The word for a value: of RecipientState, Role, RecordKind, Outcome, Urgency, StatementKind, ...;
// for a value without a word, its code.
std::string WordOf(Language language, const google::protobuf::EnumValueDescriptor* value);

template <typename Enum>
std::string Word(Language language, Enum value) {
  return WordOf(language, google::protobuf::GetEnumDescriptor<Enum>()->FindValueByNumber(value));
}

// Why not, as a few words; the reason itself when there are none for it.
std::string ReasonWord(Language language, const std::string& reason);

// A state in its colour.
Cell StateCell(Language language, v1::RecipientState state);

// The code of a value as flags write it: its name without the enum's prefix, lower case with
// hyphens.
std::string CodeOfValue(const google::protobuf::EnumValueDescriptor* value);
// Reads such a code; null for one that is not there, and for the zero value.
const google::protobuf::EnumValueDescriptor* ValueOfCode(
    const google::protobuf::EnumDescriptor* type, std::string_view code);
// All codes but the zero value's, joined by commas: for help and messages.
std::string CodesOf(const google::protobuf::EnumDescriptor* type);

std::vector<std::string> CodeListOf(const google::protobuf::EnumDescriptor* type);

// For the test that every word has both languages.
struct WordTexts {
  const char* name;
  const char* en;
  const char* nl;
};
const std::vector<WordTexts>& AllWords();

}  // namespace schakel::cli
