// What a command works with. Borrowed: everything in it outlives the command.
#pragma once

#include <functional>
#include <initializer_list>
#include <memory>
#include <string>

#include "cli/commands/output.hpp"
#include "cli/commands/spec.hpp"
#include "cli/invocation.hpp"
#include "engine/base/progress.hpp"
#include "engine/env/world.hpp"
#include "engine/site/site.hpp"
#include "transport/link/links.hpp"

namespace satchel::commands {

struct Context {
    const cli::Invocation& invocation;
    const Arguments& arguments;
    Output& output;
    Progress& progress;
    env::World world;
    site::Site* site = nullptr;                        // with Needs::kSite
    env::Disk* folder = nullptr;                       // with Needs::kFolder
    std::function<Result<link::Links*>()> links = {};  // with Needs::kLinks
    // Likewise: the site may be used inside.
    std::function<void(const std::function<void()>& work)> in_turn = {};
};

// A path as the person meant it: absolute, without "." and "..".
[[nodiscard]] std::string absolute_path(const cli::Invocation& invocation, const std::string& path);

Result<std::unique_ptr<env::Disk>> open_folder(const std::string& absolute);

// A folder or file that need not be there yet: its parent as a disk, and its name in it.
struct Target {
    std::unique_ptr<env::Disk> parent;
    std::string name;
    std::string path;
};
Result<Target> open_target(Context& context, const std::string& path);

// The content of the file that an argument names, or standard input for "-".
Result<std::string> read_input(Context& context, const std::string& argument, std::size_t size_max);

// An error about such a file's content names the file: the engine knows only what it is, one of `kinds`.
[[nodiscard]] Error about_input(Context& context, const std::string& argument,
                                std::initializer_list<std::string_view> kinds, Error error);

// A whole number from 0 to `maximum`; `otherwise` when the option was not given.
Result<std::uint32_t> number_of(const Arguments& arguments, const std::string& name, std::uint32_t otherwise,
                                std::uint32_t maximum);

// A number of bytes as people write it: "500MB", "1.5GB", "1GiB", "4096"; `otherwise` when the option was not
// given.
Result<std::uint64_t> byte_count_of(const Arguments& arguments, const std::string& name,
                                    std::uint64_t otherwise);

// The one course that the argument COURSE means.
Result<std::string> course_of(Context& context);

}  // namespace satchel::commands
