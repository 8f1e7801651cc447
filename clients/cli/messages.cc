#include "clients/cli/messages.h"

namespace schakel::cli {
namespace {

constexpr MessageTexts kMessages[] = {
#define SCHAKEL_MESSAGE(name, en, nl) {#name, en, nl},
#include "clients/cli/messages.inc"
#undef SCHAKEL_MESSAGE
};

}  // namespace

std::span<const MessageTexts> AllMessages() { return kMessages; }

std::string Say(Language language, Msg message, std::initializer_list<std::string_view> args) {
  const MessageTexts& texts = kMessages[static_cast<size_t>(message)];
  const std::string_view text = language == Language::kDutch ? texts.nl : texts.en;
  std::string out;
  for (size_t i = 0; i < text.size(); ++i) {
    const bool is_place = text[i] == '{' && i + 2 < text.size() && text[i + 1] >= '0' &&
                          text[i + 1] <= '9' && text[i + 2] == '}';
    if (!is_place) {
      out += text[i];
      continue;
    }
    const auto place = static_cast<size_t>(text[i + 1] - '0');
    if (place < args.size()) out += *(args.begin() + place);
    i += 2;
  }
  return out;
}

}  // namespace schakel::cli
