#include "clients/cli/verb.h"

#include "clients/cli/words.h"

namespace schakel::cli {

CLI::App* AddNoun(CLI::App& program, Invocation& invocation, const char* name, Msg help) {
  CLI::App* const noun = program.add_subcommand(name, invocation.Text(help));
  noun->group(invocation.Text(Msg::kVerbsLabel));
  noun->get_help_ptr()->group(invocation.Text(Msg::kOptionsLabel));
  noun->require_subcommand(1);
  return noun;
}

Verb::Verb(CLI::App* noun, Invocation& invocation, const char* name, Msg help, const char* examples)
    : app_(noun->add_subcommand(name, invocation.Text(help))), invocation_(invocation) {
  app_->group(invocation.Text(Msg::kVerbsLabel));
  app_->get_help_ptr()->group(invocation.Text(Msg::kOptionsLabel));
  app_->footer(examples);
}

CLI::Option* Verb::Value(const char* names, std::string& to, Msg help, const char* value) {
  return app_->add_option(names, to, invocation_.Text(help))->type_name(value);
}

CLI::Option* Verb::Values(const char* names, std::vector<std::string>& to, Msg help,
                          const char* value) {
  auto* const option = app_->add_option(names, to, invocation_.Text(help));
  return option->type_name(value)
      ->type_size(1)
      ->expected(1, CLI::detail::expected_max_vector_size)
      ->allow_extra_args(false);
}

CLI::Option* Verb::Choice(const char* names, std::string& to, Msg help, const char* value,
                          const google::protobuf::EnumDescriptor* type) {
  CLI::Option* const option = Value(names, to, help, value);
  invocation_.choices[option] = CodeListOf(type);
  return option;
}

CLI::Option* Verb::Choices(const char* names, std::vector<std::string>& to, Msg help,
                           const char* value, const google::protobuf::EnumDescriptor* type) {
  CLI::Option* const option = Values(names, to, help, value);
  invocation_.choices[option] = CodeListOf(type);
  return option;
}

CLI::Option* Verb::Number(const char* names, uint64_t& to, Msg help) {
  return app_->add_option(names, to, invocation_.Text(help))->type_name("N");
}

CLI::Option* Verb::Flag(const char* names, bool& to, Msg help) {
  return app_->add_flag(names, to, invocation_.Text(help));
}

CLI::Option* Verb::Count(const char* names, uint64_t& to, Msg help) {
  return app_->add_flag(names, to, invocation_.Text(help));
}

void Verb::AllowCsv() { csv_ = true; }

void Verb::Run(std::function<Result<ExitCode>()> action) {
  Invocation* const invocation = &invocation_;
  app_->callback([invocation, csv = csv_, action = std::move(action)] {
    invocation->may_csv = csv;
    invocation->action = action;
  });
}

}  // namespace schakel::cli
