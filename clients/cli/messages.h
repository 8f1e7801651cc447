// Every text that the command line says, in Dutch and English: messages.inc holds them, one line a
// message, so that none exists in one language only.
#pragma once

#include <initializer_list>
#include <span>
#include <string>
#include <string_view>

#include "clients/cli/language.h"

namespace schakel::cli {

enum class Msg {
#define SCHAKEL_MESSAGE(name, en, nl) name,
#include "clients/cli/messages.inc"
#undef SCHAKEL_MESSAGE
};

// The message with {0}, {1}, ... replaced by the arguments.
std::string Say(Language language, Msg message, std::initializer_list<std::string_view> args = {});

// For the test that compares the languages.
struct MessageTexts {
  const char* name;
  const char* en;
  const char* nl;
};
std::span<const MessageTexts> AllMessages();

}  // namespace schakel::cli
