// Failures are values. Every fallible function returns Result<T>; dropping one is a compiler warning.
//
//     SATCHEL_TRY(std::unique_ptr<env::File> file, disk.open(path, env::OpenMode::kRead));
//     SATCHEL_TRY_VOID(file->sync());
//
// An Error names the thing it is about, why it failed and what a person can do. `reason` and `remedy`
// are English string literals and at the same time the keys of the text table: the command line shows
// them in the reader's language. What varies (a path, an offset, a number) goes into `about` and `detail`.
#pragma once

#include <string>
#include <tl/expected.hpp>
#include <utility>

namespace satchel {

// The exit code of the command line that each code leads to stands in cli/exit_codes.hpp.
enum class ErrorCode {
    kFailed,       // anything that fits nowhere below
    kUsage,        // the caller asked for something that makes no sense
    kNotFound,     // the named thing does not exist
    kExists,       // the named thing exists already and would have to be replaced
    kNoSite,       // the folder holds no site
    kBusy,         // another process owns the site
    kRefused,      // trust: a signature, role, ratchet or quorum does not allow it
    kDamaged,      // bytes differ from what their checksum, hash or format says
    kUnsupported,  // a format or version newer than this program
    kTooLarge,     // a named limit would be passed
    kNoSpace,      // the disk or the quota is full
    kReadOnly,     // the medium cannot be written to
    kUnreachable,  // the peer does not answer
    kIo,           // the disk answered with an error
    kCancelled,    // the person or the caller stopped it
};

// A string literal: a key of the text table, never composed at run time.
class Literal {
  public:
    template <std::size_t N>
    consteval Literal(const char (&text)[N]) : text_(text) {}  // NOLINT(google-explicit-constructor)
    [[nodiscard]] const char* text() const { return text_; }

  private:
    const char* text_;
};

struct Error {
    ErrorCode code;
    std::string about;   // the thing: a path, an id, a field; may be empty
    Literal reason;      // "the checksum does not match"
    Literal remedy;      // "write the stick again from its source"
    std::string detail;  // for logs and experts: "record at byte 4096", errno text; may be empty
};

template <typename T>
class [[nodiscard]] Result : public tl::expected<T, Error> {
  public:
    using Base = tl::expected<T, Error>;
    using Base::Base;
    Result(Error error) : Base(tl::unexpect, std::move(error)) {}  // NOLINT(google-explicit-constructor)
    Result(Base base) : Base(std::move(base)) {}                   // NOLINT(google-explicit-constructor)
};

inline Error fail(ErrorCode code, std::string about, Literal reason, Literal remedy,
                  std::string detail = {}) {
    return Error{code, std::move(about), reason, remedy, std::move(detail)};
}

// What lies on the disk is not what it was, or the disk does not give it: perhaps another day.
inline bool is_unreadable(const Error& error) {
    return error.code == ErrorCode::kDamaged || error.code == ErrorCode::kIo;
}

}  // namespace satchel

#define SATCHEL_CONCAT_(a, b) a##b
#define SATCHEL_CONCAT(a, b) SATCHEL_CONCAT_(a, b)
#define SATCHEL_TRY_(temporary, declaration, expression)             \
    auto temporary = (expression);                                   \
    if (!temporary.has_value()) return std::move(temporary).error(); \
    declaration = std::move(*temporary)
// Declares from the value of a Result, or returns its error from the enclosing function.
#define SATCHEL_TRY(declaration, expression) \
    SATCHEL_TRY_(SATCHEL_CONCAT(satchel_try_, __COUNTER__), declaration, expression)
#define SATCHEL_TRY_VOID_(temporary, expression)                         \
    do {                                                                 \
        auto temporary = (expression);                                   \
        if (!temporary.has_value()) return std::move(temporary).error(); \
    } while (false)
#define SATCHEL_TRY_VOID(expression) \
    SATCHEL_TRY_VOID_(SATCHEL_CONCAT(satchel_try_void_, __COUNTER__), expression)
