#include "clients/cli/verb.h"

#include <CLI/CLI.hpp>

#include "clients/cli/words.h"

namespace schakel::cli {
namespace {

CLI::Option* OptionOf(CLI::App& app, const char* names, std::string& to, const std::string& help,
                      const char* value) {
  return app.add_option(names, to, help)->type_name(value);
}

CLI::Option* OptionOf(CLI::App& app, const char* names, std::vector<std::string>& to,
                      const std::string& help, const char* value) {
  return app.add_option(names, to, help)
      ->type_name(value)
      ->type_size(1)
      ->expected(1, CLI::detail::expected_max_vector_size)
      ->allow_extra_args(false);
}

}  // namespace

void Parameter::Required() { option_->required(); }

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

Parameter Verb::Value(const char* names, std::string& to, Msg help, const char* value) {
  return Parameter(OptionOf(*app_, names, to, invocation_.Text(help), value));
}

Parameter Verb::Values(const char* names, std::vector<std::string>& to, Msg help,
                       const char* value) {
  return Parameter(OptionOf(*app_, names, to, invocation_.Text(help), value));
}

Parameter Verb::Choice(const char* names, std::string& to, Msg help, const char* value,
                       const google::protobuf::EnumDescriptor* type) {
  auto* const option = OptionOf(*app_, names, to, invocation_.Text(help), value);
  invocation_.choices[option] = CodeListOf(type);
  return Parameter(option);
}

Parameter Verb::Choices(const char* names, std::vector<std::string>& to, Msg help,
                        const char* value, const google::protobuf::EnumDescriptor* type) {
  auto* const option = OptionOf(*app_, names, to, invocation_.Text(help), value);
  invocation_.choices[option] = CodeListOf(type);
  return Parameter(option);
}

Parameter Verb::Number(const char* names, uint64_t& to, Msg help) {
  return Parameter(app_->add_option(names, to, invocation_.Text(help))->type_name("N"));
}

Parameter Verb::Flag(const char* names, bool& to, Msg help) {
  return Parameter(app_->add_flag(names, to, invocation_.Text(help)));
}

Parameter Verb::Count(const char* names, uint64_t& to, Msg help) {
  return Parameter(app_->add_flag(names, to, invocation_.Text(help)));
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
