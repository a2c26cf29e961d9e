import ArgumentParser
import Control

/// Which rows of a list, and in which order.
struct ListOptions: ParsableArguments {
    @Option(parsing: .unconditional, help: "Only names that contain this; '~' before it makes it a regular expression.") var filter = ""
    @Option(help: "Field to sort by, named as --json names it.") var sort = "name"
    @Flag(help: "The largest first.") var descending = false

    var query: ListQuery { ListQuery(filter: filter, sort: sort, descending: descending) }
}
