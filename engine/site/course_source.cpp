#include "engine/site/course_source.hpp"

#include <algorithm>

#include "engine/store/manifest.hpp"

namespace satchel::site {

namespace {

constexpr char kCourseFile[] = "course.json";
constexpr std::size_t kCourseFileMax = 256 * 1024;

bool has_wide_letters(std::string_view text) {
    return std::any_of(text.begin(), text.end(),
                       [](char c) { return static_cast<unsigned char>(c) >= 0xe0; });
}

void name_after(catalogue::CourseMetadata& metadata, const std::string& name) {
    if (metadata.title.empty()) metadata.title[has_wide_letters(name) ? "zh" : "en"] = name;
}

// The metadata that the folder's course.json gives; a damaged course.json is an error, never ignored.
Result<std::optional<CourseSource>> described(env::Disk& folder, const std::string& base,
                                              const std::string& name) {
    const std::string path = env::join(base, kCourseFile);
    Result<env::EntryInfo> info = folder.stat(path);
    if (!info.has_value()) {
        if (info.error().code == ErrorCode::kNotFound) return std::optional<CourseSource>();
        return info.error();
    }
    if (info->kind != env::EntryKind::kFile) return std::optional<CourseSource>();
    SATCHEL_TRY(const ByteBuffer text, env::read_file(folder, path, kCourseFileMax));
    CourseSource course;
    course.base = base;
    std::optional<std::string> id;
    Result<catalogue::CourseMetadata> metadata = catalogue::parse_course_json(text, id);
    if (!metadata.has_value()) {
        Error error = std::move(metadata).error();
        error.about = folder.describe(path) + (error.about.empty() ? "" : ": " + error.about);
        return error;
    }
    course.metadata = std::move(*metadata);
    course.id = id.value_or(name);
    name_after(course.metadata, name);
    return std::optional(std::move(course));
}

CourseSource named_after_folder(const std::string& base, const std::string& name) {
    CourseSource course;
    course.id = name;
    course.base = base;
    name_after(course.metadata, name);
    return course;
}

Result<void> refuse_same_ids(const std::vector<CourseSource>& courses) {
    std::vector<std::string> ids;
    for (const CourseSource& course : courses) ids.push_back(course.id);
    std::sort(ids.begin(), ids.end());
    const auto twice = std::adjacent_find(ids.begin(), ids.end());
    if (twice == ids.end()) return {};
    return fail(ErrorCode::kUsage, *twice, "two folders give the same course id",
                "change the id in one course.json, or rename a folder");
}

// Why a name cannot travel to every site, or nothing.
std::optional<Literal> unfit(const env::EntryInfo& info, const std::string& path) {
    if (!store::check_path(path).has_value())
        return Literal("the name holds control characters, is not UTF-8 or lies too deep");
    switch (info.kind) {
        case env::EntryKind::kSymlink:
            return Literal("symbolic links are not carried");
        case env::EntryKind::kOther:
            return Literal("only files and folders are carried");
        case env::EntryKind::kFile:
        case env::EntryKind::kDirectory:
            return std::nullopt;
    }
    return std::nullopt;
}

struct Walker {
    env::Disk& folder;
    SkipList& skipped;
    const std::function<Result<void>(const SourceItem&)>& each;
    bool files_only;

    // A folder stands for two keys: its own name, and its name with '/' for what it holds. Sorted so, the
    // walk meets full paths in ascending byte order ("a", "a b", "a/x").
    struct Key {
        std::string text;
        const env::EntryInfo* info;
        bool enter;
    };

    Result<void> walk(const std::string& source_base, const std::string& path_base) {
        Result<std::vector<env::EntryInfo>> entries = folder.list(source_base);
        if (!entries.has_value()) {
            if (source_base.empty()) return entries.error();
            skipped.add(source_base, "the folder cannot be read");
            return {};
        }
        std::vector<Key> keys;
        for (const env::EntryInfo& info : *entries) {
            const std::string path = env::join(path_base, info.name);
            if (files_only && info.kind == env::EntryKind::kDirectory) continue;
            if (const std::optional<Literal> reason = unfit(info, path)) {
                skipped.add(env::join(source_base, info.name), *reason);
                continue;
            }
            keys.push_back({info.name, &info, false});
            if (info.kind == env::EntryKind::kDirectory) keys.push_back({info.name + "/", &info, true});
        }
        std::sort(keys.begin(), keys.end(), [](const Key& a, const Key& b) { return a.text < b.text; });
        for (const Key& key : keys) {
            const std::string path = env::join(path_base, key.info->name);
            const std::string source_path = env::join(source_base, key.info->name);
            if (key.enter)
                SATCHEL_TRY_VOID(walk(source_path, path));
            else
                SATCHEL_TRY_VOID(each({path, source_path, *key.info}));
        }
        return {};
    }
};

}  // namespace

void SkipList::add(std::string path, Literal reason) {
    count += 1;
    if (items.size() < kSkippedListMax) items.push_back({std::move(path), reason});
}

Result<std::vector<CourseSource>> find_courses(env::Disk& folder, std::string_view folder_name,
                                               const std::string& loose_course, SkipList& skipped) {
    std::vector<CourseSource> courses;
    SATCHEL_TRY(std::optional<CourseSource> whole, described(folder, "", std::string(folder_name)));
    if (whole) {
        courses.push_back(std::move(*whole));
        return courses;
    }
    SATCHEL_TRY(const std::vector<env::EntryInfo> entries, folder.list(""));
    bool has_loose_files = false;
    for (const env::EntryInfo& info : entries) {
        if (info.kind != env::EntryKind::kDirectory) {
            if (info.kind == env::EntryKind::kFile && !unfit(info, info.name))
                has_loose_files = true;
            else
                skipped.add(info.name,
                            unfit(info, info.name).value_or(Literal("only files and folders are carried")));
            continue;
        }
        if (const std::optional<Literal> reason = unfit(info, info.name)) {
            skipped.add(info.name, *reason);
            continue;
        }
        SATCHEL_TRY(std::optional<CourseSource> course, described(folder, info.name, info.name));
        courses.push_back(course ? std::move(*course) : named_after_folder(info.name, info.name));
    }
    if (has_loose_files) {
        CourseSource loose = named_after_folder("", loose_course);
        loose.loose_files_only = true;
        courses.push_back(std::move(loose));
    }
    SATCHEL_TRY_VOID(refuse_same_ids(courses));
    return courses;
}

Result<void> walk_course(env::Disk& folder, const CourseSource& course, SkipList& skipped,
                         const std::function<Result<void>(const SourceItem&)>& each) {
    Walker walker{folder, skipped, each, course.loose_files_only};
    return walker.walk(course.base, "");
}

}  // namespace satchel::site
