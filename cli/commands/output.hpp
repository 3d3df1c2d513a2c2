// What a command says: data on standard output, words for people on standard error, or JSON for programs.
#pragma once

#include <nlohmann/json_fwd.hpp>
#include <string>
#include <string_view>

#include "cli/commands/parse.hpp"
#include "cli/invocation.hpp"

namespace satchel::commands {

class Output {
  public:
    Output(cli::Streams& streams, const cli::Invocation& invocation, Manner manner);
    ~Output();
    Output(const Output&) = delete;
    Output& operator=(const Output&) = delete;

    [[nodiscard]] bool json() const { return manner_.json; }
    [[nodiscard]] text::Language language() const { return manner_.language; }
    [[nodiscard]] std::string say(Literal text, text::Fields fields = {}) const;

    // For people; without effect under --json.
    void print(std::string_view line);                  // standard output
    void print(Literal text, text::Fields fields);      // standard output
    void note(Literal text, text::Fields fields = {});  // standard error, not under --quiet
    void warn(Literal text, text::Fields fields = {});  // standard error
    void data(std::string_view bytes);                  // standard output, as it is, always

    // For programs; without effect without --json.
    void item(nlohmann::json fields);     // one line: "message_type": "item"
    void summary(nlohmann::json fields);  // the last line: "message_type": "summary"

    void error(const Error& error);  // both
    // An error's fields, for lists of them.
    [[nodiscard]] nlohmann::json fields_of(const Error& error) const;
    [[nodiscard]] std::string line_of(const Error& error) const;  // "thing: reason (detail)"

    // The line that shows progress; whatever is said next takes its place.
    [[nodiscard]] bool shows_progress() const { return shows_progress_; }
    void progress_line(std::string_view line);
    void clear_progress();

    [[nodiscard]] bool cancelled() { return streams_.cancelled(); }
    [[nodiscard]] const Result<void>& state() const { return state_; }  // the first error of standard output

  private:
    void out(std::string_view bytes);
    void err(std::string_view bytes);
    cli::Streams& streams_;
    Manner manner_;
    bool shows_progress_;
    std::uint32_t width_;
    bool line_is_up_ = false;
    Result<void> state_;
};

}  // namespace satchel::commands
