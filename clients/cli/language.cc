#include "clients/cli/language.h"

namespace schakel::cli {

std::optional<Language> LanguageOf(std::string_view code) {
  if (code == "nl") return Language::kDutch;
  if (code == "en") return Language::kEnglish;
  return std::nullopt;
}

Language LanguageOfLocale(const sdk::Environment& environment) {
  for (const char* name : {"LC_ALL", "LC_MESSAGES", "LANG"}) {
    if (const auto value = environment(name)) {
      return value->starts_with("nl") ? Language::kDutch : Language::kEnglish;
    }
  }
  return Language::kEnglish;
}

}  // namespace schakel::cli
