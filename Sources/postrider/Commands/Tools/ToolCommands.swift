import ArgumentParser

enum ToolCommands {
    static let all: [any ParsableCommand.Type] = []
}
