#include "cli/commands/context.hpp"

#include <algorithm>
#include <charconv>
#include <filesystem>
#include <limits>

#include "engine/env/os/posix_disk.hpp"

namespace satchel::commands {

std::string absolute_path(const cli::Invocation& invocation, const std::string& path) {
    std::filesystem::path whole(path);
    if (whole.is_relative()) whole = std::filesystem::path(invocation.cwd) / whole;
    std::string normal = whole.lexically_normal().string();
    while (normal.size() > 1 && normal.back() == '/') normal.pop_back();
    return normal;
}

Result<std::unique_ptr<env::Disk>> open_folder(const std::string& absolute) {
    SATCHEL_TRY(std::unique_ptr<env::os::PosixDisk> disk, env::os::PosixDisk::open(absolute));
    return std::unique_ptr<env::Disk>(std::move(disk));
}

Result<Target> open_target(Context& context, const std::string& path) {
    const std::filesystem::path whole(absolute_path(context.invocation, path));
    if (whole.filename().empty())
        return fail(ErrorCode::kUsage, path, "this cannot be written to",
                    "name a folder or file of your own");
    Target target;
    target.name = whole.filename().string();
    target.path = whole.string();
    SATCHEL_TRY(target.parent, open_folder(whole.parent_path().string()));
    return target;
}

Result<std::string> read_input(Context& context, const std::string& argument, std::size_t size_max) {
    const std::string path = context.arguments.text(argument);
    if (path == "-") {
        const std::string text = context.invocation.input.value_or("");
        if (text.size() > size_max)
            return fail(ErrorCode::kTooLarge, "-", "this is larger than it may be", "give the right file");
        return text;
    }
    SATCHEL_TRY(const Target target, open_target(context, path));
    SATCHEL_TRY(const ByteBuffer bytes, env::read_file(*target.parent, target.name, size_max));
    return std::string(text_of(bytes));
}

Error about_input(Context& context, const std::string& argument,
                  std::initializer_list<std::string_view> kinds, Error error) {
    if (std::find(kinds.begin(), kinds.end(), error.about) != kinds.end())
        error.about = context.arguments.text(argument);
    return error;
}

Result<std::uint32_t> number_of(const Arguments& arguments, const std::string& name, std::uint32_t otherwise,
                                std::uint32_t maximum) {
    if (!arguments.has(name)) return otherwise;
    const std::string text = arguments.text(name);
    std::uint32_t value = 0;
    const auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), value);
    if (error != std::errc() || end != text.data() + text.size() || value > maximum)
        return fail(ErrorCode::kUsage, name + " " + text, "this is not a number that can be used here",
                    "give a smaller whole number", "0.." + std::to_string(maximum));
    return value;
}

namespace {

constexpr std::size_t kDecimalsMax = 6;  // so many count, of a number of terabytes too

std::optional<std::uint64_t> digits_of(std::string_view text) {
    std::uint64_t value = 0;
    const auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), value);
    const bool is_all = error == std::errc() && end == text.data() + text.size();
    return is_all ? std::optional(value) : std::nullopt;
}

}  // namespace

Result<std::uint64_t> byte_count_of(const Arguments& arguments, const std::string& name,
                                    std::uint64_t otherwise) {
    if (!arguments.has(name)) return otherwise;
    static constexpr struct {
        std::string_view unit;
        std::uint64_t bytes;
    } kUnits[] = {{"", 1},
                  {"B", 1},
                  {"KB", 1000},
                  {"MB", 1'000'000},
                  {"GB", 1'000'000'000},
                  {"TB", 1'000'000'000'000},
                  {"KiB", 1 << 10},
                  {"MiB", 1 << 20},
                  {"GiB", 1 << 30},
                  {"TiB", 1ull << 40}};
    const std::string text = arguments.text(name);
    const std::string_view number = std::string_view(text).substr(0, text.find_first_not_of("0123456789."));
    const std::string_view unit = std::string_view(text).substr(number.size());
    const std::size_t point = std::min(number.find('.'), number.size());
    const std::optional<std::uint64_t> whole = digits_of(number.substr(0, point));
    const std::string_view decimals = point == number.size() ? "0" : number.substr(point + 1);
    const std::optional<std::uint64_t> part = digits_of(decimals.substr(0, kDecimalsMax));
    std::uint64_t part_of = 1;
    for (std::size_t i = 0; i < std::min(decimals.size(), kDecimalsMax); ++i) part_of *= 10;
    for (const auto& each : kUnits)
        if (whole && part && digits_of(decimals) && unit == each.unit &&
            (each.bytes > 1 || point == number.size()) &&
            *whole < std::numeric_limits<std::uint64_t>::max() / each.bytes)
            return *whole * each.bytes + *part * each.bytes / part_of;
    return fail(ErrorCode::kUsage, name + " " + text, "this is not a number of bytes",
                "write it as 500MB, 1.5GB or 1GiB");
}

Result<std::string> course_of(Context& context) {
    return context.site->resolve_course(context.arguments.text("COURSE"));
}

}  // namespace satchel::commands
