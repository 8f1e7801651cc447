// Dutch or English.
#pragma once

#include <optional>
#include <string_view>

#include "clients/sdk/context.h"

namespace schakel::cli {

enum class Language { kEnglish, kDutch };

// "en" or "nl", as contexts and the policy bundle write it.
inline const char* CodeOf(Language language) { return language == Language::kDutch ? "nl" : "en"; }
// nullopt unless `code` is nl or en.
std::optional<Language> LanguageOf(std::string_view code);
// From LC_ALL, LC_MESSAGES, LANG, the first that is set: Dutch when it begins with nl.
Language LanguageOfLocale(const sdk::Environment& environment);

}  // namespace schakel::cli
