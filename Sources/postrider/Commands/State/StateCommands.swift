import ArgumentParser

enum StateCommands {
    static let all: [any ParsableCommand.Type] = []
}
