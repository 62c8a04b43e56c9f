-- The snippet of docs/editors.md in a current Neovim: nvim --headless -u NONE -i NONE -n -S snippet.lua
-- CACHEKEY_SNIPPET: the snippet. CACHEKEY_FILES: JSON, from a file to the code of a finding it must get.
-- Ends with 0, or with 1 after a line that says what did not happen.
vim.cmd('filetype on')
dofile(vim.env.CACHEKEY_SNIPPET)

local function say(text)
  io.stdout:write(text .. '\n')
end

local function found(code)
  return vim.iter(vim.diagnostic.get(0)):any(function(one)
    return one.code == code
  end)
end

for file, code in pairs(vim.json.decode(vim.env.CACHEKEY_FILES)) do
  vim.cmd.edit(vim.fn.fnameescape(file))
  local there = false
  for _ = 1, 12 do
    there = there or vim.wait(5000, function() return found(code) end, 20)
    if not there then
      -- What rests on another file is known when the project has been read; this Neovim asks once.
      vim.cmd('edit!')
    end
  end
  if not there then
    say(('FAILED: no %s in %s (%s): %s'):format(code, file, vim.bo.filetype, vim.inspect(vim.diagnostic.get(0))))
    vim.cmd('cquit 1')
  end
  say(('%s in %s'):format(code, vim.fs.basename(file)))
end

local clients = vim.lsp.get_clients({ name = 'cachekey' })
say(('%d server, %s, pull: %s'):format(#clients, clients[1].offset_encoding, clients[1]:supports_method('textDocument/diagnostic')))
vim.cmd('qall!')
