// Package generators keeps in go.mod what generated code imports, and lets the set-up compile it beforehand.
package generators

import (
	_ "net/http"

	_ "github.com/oapi-codegen/runtime"
	_ "github.com/oapi-codegen/runtime/types"
)
