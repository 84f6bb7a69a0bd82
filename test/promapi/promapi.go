// SPDX-License-Identifier: Apache-2.0

// Package promapi asks a Prometheus server by its HTTP API.
package promapi

import (
	"context"
	"encoding/json"
	"fmt"
	"io"
	"net/http"
	"net/url"
)

// Get reads the data that an endpoint below /api/v1/ returns into result. A warning is
// an error, too.
func Get(ctx context.Context, server, endpoint string, values url.Values, result any) error {
	req, err := http.NewRequestWithContext(ctx, http.MethodGet, server+"/api/v1/"+endpoint+"?"+values.Encode(), nil)
	if err != nil {
		return err
	}
	resp, err := http.DefaultClient.Do(req)
	if err != nil {
		return err
	}
	defer resp.Body.Close()
	body, err := io.ReadAll(resp.Body)
	if err != nil {
		return err
	}
	var answer struct {
		Status, Error string
		Warnings      []string
		Data          json.RawMessage
	}
	if err := json.Unmarshal(body, &answer); err != nil {
		return fmt.Errorf("%s: %.300q: %w", endpoint, body, err)
	}
	if answer.Status != "success" || len(answer.Warnings) > 0 {
		return fmt.Errorf("%s: %s %q", endpoint, answer.Error, answer.Warnings)
	}
	return json.Unmarshal(answer.Data, result)
}
