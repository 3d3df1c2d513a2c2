// Finds the courses in a folder of courseware and walks each in manifest order. Private to engine/site.
#pragma once

#include <functional>
#include <optional>
#include <string>
#include <vector>

#include "engine/catalogue/documents.hpp"
#include "engine/env/disk.hpp"
#include "engine/site/site.hpp"

namespace satchel::site {

// One course to be: everything below `base` ("" is the folder itself), or the loose files beside the others.
struct CourseSource {
    std::string id;
    std::string base;
    bool loose_files_only = false;
    catalogue::CourseMetadata metadata;
};

// Collects what was left out; never silently.
class SkipList {
  public:
    void add(std::string path, Literal reason);
    std::vector<Skipped> items;
    std::uint64_t count = 0;
};

// One folder is one course when it holds a course.json; else each top folder is, and the files beside them
// make one more with the id `loose_course`.
Result<std::vector<CourseSource>> find_courses(env::Disk& folder, std::string_view folder_name,
                                               const std::string& loose_course, SkipList& skipped);

// A file or folder of a course. `source_path` is where it lies in the folder, `path` its name in the course.
struct SourceItem {
    std::string path;
    std::string source_path;
    env::EntryInfo info;
};
// In ascending order of path bytes, folders before what they hold. Links, devices and names that cannot be
// carried go to `skipped`.
Result<void> walk_course(env::Disk& folder, const CourseSource& course, SkipList& skipped,
                         const std::function<Result<void>(const SourceItem&)>& each);

}  // namespace satchel::site
