import Foundation
import PackagePlugin

/// Runs SchemaGenerator over a target's `.kafka` files, all at once, because the table of APIs is made from all of them.
@main
struct SchemaPlugin: BuildToolPlugin {
    func createBuildCommands(context: PluginContext, target: any Target) async throws -> [Command] {
        guard let target = target as? any SourceModuleTarget else { return [] }
        let inputs = target.sourceFiles.map(\.url).filter { $0.pathExtension == "kafka" }
            .sorted { $0.lastPathComponent < $1.lastPathComponent }
        guard !inputs.isEmpty else { return [] }
        let folder = context.pluginWorkDirectoryURL
        let outputs = inputs.map { folder.appending(path: "\($0.deletingPathExtension().lastPathComponent)Messages.swift") }
        return [
            .buildCommand(
                displayName: "Generating Swift for \(inputs.count) schema files",
                executable: try context.tool(named: "SchemaGenerator").url,
                arguments: ["generate", folder.path()] + inputs.map { $0.path() },
                inputFiles: inputs,
                outputFiles: outputs + [folder.appending(path: "APIKey.swift")])
        ]
    }
}
